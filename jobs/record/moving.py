"""Runs that another gesdash recorded, taken over as they were.

The same replies then make the same chain here.
"""

from collections.abc import Iterable

from django.db import connection

from jobs.record.observations import Moved, Observation
from jobs.record.runs import History, ReplyRun, begin, begin_reply, miss_content


def fold_moved(history: History, observation: Observation, moved: Moved) -> bool:
    """Put a reply of an export where it belongs; True where that made a row.

    Sets `moved.fits`: whether the job's chain went on with it.
    """
    if moved.size is not None:
        return _bury(history, observation, moved)
    assert observation.reply is not None  # noqa: S101
    source, version = observation.source, observation.reply.version
    digest, moment = observation.digest, observation.observed_at

    if not _is_next(history, observation, moved, version, digest):
        covering = history.covering(source, digest, moment)
        if covering is not None:
            _stretch(history, covering, observation, moved)
            return False
        moved.fits = moved.number is None
        before = history.before(source, version, moment)
        if before is not None and before.content == digest:
            _stretch(history, before, observation, moved, more=moved.seen)
            return False

    run = begin_reply(history, digest, observation)
    run.last_seen_at, run.seen = moved.last_seen_at, moved.seen
    return True


def fold_moved_miss(history: History, observation: Observation, moved: Moved) -> None:
    """`fold_moved` for a run of failed polls."""
    content = miss_content(observation)
    for run in history.misses:
        is_alike = (run.source, run.content) == (observation.source, content)
        if is_alike and run.covers(observation.observed_at):
            _stretch(history, run, observation, moved)
            return
    run = begin(history, history.misses, content, observation)
    run.last_seen_at, run.seen = moved.last_seen_at, moved.seen


def _stretch(
    history: History, run: ReplyRun, observation: Observation, moved: Moved, more: int = 0
) -> None:
    """Make the run as long as the longer one, seen as often as where it was seen more.

    `more`: observations that are not among those of the run.
    """
    seen = run.seen + more if more else max(run.seen, moved.seen)
    if moved.last_seen_at > run.last_seen_at:
        run.last_seen_at, run.seen, run.newest = moved.last_seen_at, seen, observation
        history.changed[id(run)] = run


def _is_next(
    history: History, observation: Observation, moved: Moved, version: int, digest: bytes
) -> bool:
    facts = history.facts(observation, version, digest)
    return moved.number == facts.number and moved.link == history.next_link(facts)


def _bury(history: History, observation: Observation, moved: Moved) -> bool:
    """Take over a reply that was deleted where it comes from; True where that makes a tombstone."""
    if moved.number is not None and moved.number <= history.job.chain_length:
        return False  # the reply is stored here, or its tombstone is
    moved.fits = _is_next(history, observation, moved, moved.version, moved.sha256)
    if not moved.fits:
        return False

    facts = history.facts(observation, moved.version, moved.sha256)
    number, link = history.chain(facts)
    key = None  # until `give_keys`
    history.buried.append(
        (
            key,
            history.job.pk,
            number,
            observation.source,
            facts.version,
            facts.http_status,
            facts.content_type,
            facts.sha256,
            observation.observed_at,
            moved.last_seen_at,
            moved.seen,
            link,
            moved.size,
        )
    )
    return True


def give_keys(histories: Iterable[History]) -> None:
    """Give tombstones keys of the same sequence as stored replies have."""
    places = [(history, index) for history in histories for index in range(len(history.buried))]
    if not places:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('jobs_snapshot', 'id'))"
            " FROM generate_series(1, %s)",
            [len(places)],
        )
        for (history, index), (key,) in zip(places, cursor.fetchall(), strict=True):
            history.buried[index] = (key, *history.buried[index][1:])
