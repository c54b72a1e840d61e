"""PostgreSQL beyond the ORM: bulk writes, locks, streams, outages. No models."""
