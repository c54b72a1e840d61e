"""Rendering, live parts, language, time zone, and forms that survive the end of a session."""
