"""Independent components: fitted, labelled, explained."""
