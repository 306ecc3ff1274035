"""Parts of the Models page: the list, one model's card, what can be done with it, and folders that a person adds."""
