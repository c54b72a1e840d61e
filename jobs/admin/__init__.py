"""Data fixes: what GES said is read-only; a person's value is laid over it with a reason."""

from jobs.admin import decisions, holds, observed, people

__all__ = ["decisions", "holds", "observed", "people"]
