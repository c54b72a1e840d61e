"""Diagnosis of imports from status words, files and line counts: pure functions."""
