"""A reader's own pages: preferences and access keys."""
