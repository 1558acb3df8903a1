"""What a month costs, and how far each hot path is from the best that is known: `make rehearsal` and `make bench`."""
