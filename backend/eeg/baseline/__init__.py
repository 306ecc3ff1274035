"""Background activity: rhythm, band powers, sides, with intervals."""
