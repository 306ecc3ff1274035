"""The pages of the browser application: thin, one file a page."""
