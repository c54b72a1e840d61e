"""What the figures say: pure functions."""
