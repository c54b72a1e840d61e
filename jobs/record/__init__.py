"""The one writer of what GES said: replies in, snapshots, misses and projections out, one transaction a batch."""

from jobs.record.bulk import Writes
from jobs.record.corrections import Change, correct, correct_all, revert, revert_all
from jobs.record.graphs import correct_graph, merge_graphs, split_graph, tell_graph
from jobs.record.lookup import find_graph, find_jobs, known_or_new_jobs
from jobs.record.observations import Moved, NotRecorded, Observation, observe
from jobs.record.past import Past, as_known
from jobs.record.past_graphs import graphs_as_known, graphs_not_noted, moved_jobs, not_noted
from jobs.record.recorder import Recorded, rebuild, rebuild_in_batches, record, record_held
from jobs.record.repeats import JobState, prolong_repeated
from jobs.record.values import MAX_REASON, check_reason, check_value

__all__ = [
    "MAX_REASON",
    "Change",
    "JobState",
    "Moved",
    "NotRecorded",
    "Observation",
    "Past",
    "Recorded",
    "Writes",
    "as_known",
    "check_reason",
    "check_value",
    "correct",
    "correct_all",
    "correct_graph",
    "find_graph",
    "find_jobs",
    "graphs_as_known",
    "graphs_not_noted",
    "known_or_new_jobs",
    "merge_graphs",
    "moved_jobs",
    "not_noted",
    "observe",
    "prolong_repeated",
    "rebuild",
    "rebuild_in_batches",
    "record",
    "record_held",
    "revert",
    "revert_all",
    "split_graph",
    "tell_graph",
]
