"""Replies that come as JSON Lines, from other tools or another gesdash."""
