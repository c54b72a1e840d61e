"""The evidence bundle: a zip that verifies itself."""
