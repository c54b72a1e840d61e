"""The one writer of observations: snapshots, misses and projections, one transaction a batch."""

from jobs.record.graphs import find_graph
from jobs.record.lookup import find_jobs, known_or_new_jobs
from jobs.record.observations import Moved, NotRecorded, Observation, observe
from jobs.record.recorder import Recorded, rebuild, rebuild_in_batches, record, record_held
from jobs.record.repeats import JobState, prolong_repeated

__all__ = [
    "JobState",
    "Moved",
    "NotRecorded",
    "Observation",
    "Recorded",
    "find_graph",
    "find_jobs",
    "known_or_new_jobs",
    "observe",
    "prolong_repeated",
    "rebuild",
    "rebuild_in_batches",
    "record",
    "record_held",
]
