"""A project's page: members, keys and retention."""
