"""The one writer of what GES said: replies in, snapshots, misses and projections out, one transaction a batch."""

from jobs.record.corrections import check_value, correct, revert
from jobs.record.lookup import find_graph, find_jobs, known_or_new_jobs
from jobs.record.observations import Moved, Observation, observe
from jobs.record.recorder import Recorded, rebuild, rebuild_in_batches, record

__all__ = [
    "Moved",
    "Observation",
    "Recorded",
    "check_value",
    "correct",
    "find_graph",
    "find_jobs",
    "known_or_new_jobs",
    "observe",
    "rebuild",
    "rebuild_in_batches",
    "record",
    "revert",
]
