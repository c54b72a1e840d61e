"""Jobs of GES."""
