"""A GES to poll over loopback: jobs with a story, replies as GES writes them, and faults."""
