"""The portfolio folder: its format, its loader, and the demo portfolio in the same format."""
