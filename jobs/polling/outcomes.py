"""The outcomes of calls to GES: counted for the metrics, a batch at a time, and logged."""

import logging
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from jobs.ges.errors import GesError
from jobs.ges.shapes import JobReply
from jobs.models import Project, Tally
from jobs.models.reply import Source
from jobs.models.tally import Counted, Key, Kind
from jobs.record import Observation

log = logging.getLogger(__name__)
#: Upper bounds of the latency histogram in seconds; the client gives up at the last of them.
BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_BOUND_NAMES = (*(f"{bound:g}" for bound in BOUNDS), "inf")
ANSWERED = ("new", "repeated")


def note(observations: Sequence[Observation], now: datetime) -> None:
    """Count and log these."""
    for observation in observations:
        # A job that GES does not know is not recorded when the proxy asks about it.
        error = observation.error
        observation.outcome = observation.outcome or (error.kind if error else "new")
    if log.isEnabledFor(logging.INFO):
        for observation in observations:
            _log(observation)
    _warn(observations)
    Tally.objects.add(_counted(observations), now)


def note_failed_look(project: Project, error: GesError, now: datetime) -> None:
    """Count a look at the job list that failed."""
    Tally.objects.add({(project.pk, Kind.REPLY, f"list:{error.kind}"): Counted(1)}, now)


def bound(seconds: float) -> str:
    """The histogram bucket for this latency."""
    return _BOUND_NAMES[bisect_left(BOUNDS, seconds)]


def _counted(observations: Sequence[Observation]) -> dict[Key, Counted]:
    counts: Counter[Key] = Counter()
    seconds: dict[Key, float] = defaultdict(float)
    for observation in observations:
        project = observation.job.project_id
        name = f"{observation.source}:{observation.outcome}"
        counts[project, Kind.REPLY, name] += 1
        if observation.seconds is not None:
            key = project, Kind.LATENCY, bound(observation.seconds)
            counts[key] += 1
            seconds[key] += observation.seconds
        if observation.reply is not None and observation.outcome == "new":
            counts.update((project, kind, name) for kind, name in _undocumented(observation.reply))
    return {key: Counted(times, seconds.get(key, 0.0)) for key, times in counts.items()}


def _undocumented(reply: JobReply) -> Iterator[tuple[Kind, str]]:
    """Status words and fields that GES's documentation does not list, by the peculiarities."""
    for peculiarity in reply.peculiarities:
        if "word" in peculiarity.values:
            yield Kind.WORD, str(peculiarity.values["word"])
        for name in str(peculiarity.values.get("fields", "")).split(", "):
            if name:
                yield Kind.FIELD, name


def _warn(observations: Sequence[Observation]) -> None:
    """One line for each project and reason, however many polls failed.

    A caller of the proxy learns of a failure from the proxy's answer.
    """
    failed: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.error is not None and observation.source == Source.POLL:
            project = observation.job.project.project_id
            failed[project, observation.outcome].append(observation)
    for (project, outcome), failures in failed.items():
        log.warning(
            "%s of %s polls got no usable answer: %s",
            len(failures),
            len(observations),
            failures[0].error,
            extra={
                "project": project,
                "outcome": outcome,
                "ges_request_id": failures[0].request_id or None,
            },
        )


def _log(observation: Observation) -> None:
    """Log a new reply and a failed call; repeated replies are for debugging."""
    if observation.outcome == "repeated" and not log.isEnabledFor(logging.DEBUG):
        return
    seconds = observation.seconds
    facts = {
        "project": observation.job.project.project_id,
        "graph": observation.graph_id or None,
        "job": observation.job.job_id,
        "ges_request_id": observation.request_id or None,
        "source": observation.source,
        "outcome": observation.outcome,
        "http_status": observation.http_status,
        "seconds": None if seconds is None else round(seconds, 3),
    }
    if observation.error is not None:
        log.info("GES gave no usable answer: %s", observation.error, extra=facts)
    elif observation.outcome == "repeated":
        log.debug("GES repeated its last reply.", extra=facts)
    elif observation.reply is not None:
        log.info("GES status: %s.", observation.reply.status, extra=facts)
