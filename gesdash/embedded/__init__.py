"""A database backend on our own PostgreSQL."""
