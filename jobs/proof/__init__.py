"""Sealing, verifying, retention and evidence: what makes the stored replies prove something."""
