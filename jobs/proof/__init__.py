"""Sealing and verifying: what makes the stored replies prove something."""
