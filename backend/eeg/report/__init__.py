"""The report of a recording: what it says is gathered once, and written as HTML and as PDF."""
