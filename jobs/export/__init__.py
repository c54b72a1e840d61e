"""Rows for programs, the same in the API, commands and files."""
