"""What pages, API and commands ask of the recorded jobs."""
