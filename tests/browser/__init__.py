"""The story of the README, driven in a real browser."""
