"""One view a task: what a saved run of it shows."""
