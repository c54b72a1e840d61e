"""One job's page and its tabs."""
