"""What came of asking GES: counted for the metrics, a batch at a time, and a line each in the log."""

import logging
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from jobs.ges.errors import GesError
from jobs.ges.shapes import JobReply
from jobs.models import Project, Tally
from jobs.models.reply import Source
from jobs.models.tally import Counted, Key, Kind
from jobs.record import Observation

log = logging.getLogger(__name__)
#: Seconds an answer takes at most; the client gives up at the last of them.
BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_NAMES = (*(f"{bound:g}" for bound in BOUNDS), "inf")
ANSWERED = ("new", "repeated")


def note(seen: Sequence[Observation], now: datetime) -> None:
    """Count these, which were recorded, and log them."""
    projects = {one.job.project_id: one.job.project.project_id for one in seen}
    for one in seen:
        # A job that GES does not know is not recorded when the proxy asks about it.
        one.outcome = one.outcome or (one.error.kind if one.error else "new")
    if log.isEnabledFor(logging.INFO):
        for one in seen:
            _log(one, projects[one.job.project_id])
    _warn(seen, projects)
    Tally.objects.add(_counted(seen), now)


def _counted(seen: Sequence[Observation]) -> dict[Key, Counted]:
    counts: Counter[Key] = Counter()
    for (project, source, outcome), times in Counter(
        (one.job.project_id, one.source, one.outcome) for one in seen
    ).items():
        counts[project, Kind.REPLY, f"{source}:{outcome}"] = times
    seconds: dict[Key, float] = defaultdict(float)
    for one in seen:
        if one.seconds is not None:
            key = one.job.project_id, Kind.LATENCY, bound(one.seconds)
            counts[key] += 1
            seconds[key] += one.seconds
        if one.reply is not None and one.outcome == "new":
            counts.update((one.job.project_id, kind, name) for kind, name in _unknown(one.reply))
    return {key: Counted(times, seconds.get(key, 0.0)) for key, times in counts.items()}


def note_no_list(project: Project, error: GesError, now: datetime) -> None:
    """Count a look at the job list that failed."""
    Tally.objects.add({(project.pk, Kind.REPLY, f"list:{error.kind}"): Counted(1)}, now)


def bound(seconds: float) -> str:
    """The least of BOUNDS that is enough, `inf` over all of them."""
    return _NAMES[bisect_left(BOUNDS, seconds)]


def _unknown(reply: JobReply) -> Iterable[tuple[Kind, str]]:
    """Words and fields that GES's documentation does not list; each reply tells of them in its peculiarities."""
    for odd in reply.peculiarities:
        if "word" in odd.values:
            yield Kind.WORD, str(odd.values["word"])
        for name in str(odd.values.get("fields", "")).split(", "):
            if name:
                yield Kind.FIELD, name


def _warn(seen: Sequence[Observation], projects: Mapping[int, str]) -> None:
    """One line a project and reason, however many polls failed; who asked through the proxy is told by the proxy."""
    failed: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for one in seen:
        if one.error is not None and one.source == Source.POLL:
            failed[projects[one.job.project_id], one.outcome].append(one)
    for (project, outcome), those in failed.items():
        told = {
            "project": project,
            "outcome": outcome,
            "ges_request_id": those[0].request_id or None,
        }
        log.warning(
            "%s of %s polls got no usable answer: %s",
            len(those),
            len(seen),
            those[0].error,
            extra=told,
        )


def _log(one: Observation, project: str) -> None:
    """A reply that says something new, and a poll without one, are worth a line; the rest is for whoever debugs."""
    if one.outcome == "repeated" and not log.isEnabledFor(logging.DEBUG):
        return
    told = {
        "project": project,
        "graph": one.graph_id or None,
        "job": one.job.job_id,
        "ges_request_id": one.request_id or None,
        "source": one.source,
        "outcome": one.outcome,
        "http_status": one.http_status,
        "seconds": None if one.seconds is None else round(one.seconds, 3),
    }
    if one.error is not None:
        log.info("GES gave no usable answer: %s", one.error, extra=told)
    elif one.outcome == "repeated":
        log.debug("GES said the same again.", extra=told)
    elif one.reply is not None:
        log.info("GES said %s.", one.reply.status, extra=told)
