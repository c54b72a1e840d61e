"""The audit log: what is noted, how it is listed and exported."""
