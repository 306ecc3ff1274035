"""Parts of the pages on patients and their recordings."""
