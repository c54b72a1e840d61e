"""The first page, now and as of a moment."""
