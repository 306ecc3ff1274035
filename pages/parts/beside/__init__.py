"""Parts of the page that sets two models side by side: the form that starts it, and the result."""
