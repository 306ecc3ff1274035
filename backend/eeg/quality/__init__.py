"""Signal quality of every channel."""
