"""Runs that another gesdash recorded: taken over as they were, so that the same replies make the same chain here."""

from collections.abc import Iterable

from django.db import connection

from jobs.ges.errors import NotAJobStatus
from jobs.record.observations import Moved, Observation
from jobs.record.runs import History, ReplyRun, begin, begin_reply


def fold_moved(history: History, one: Observation, moved: Moved) -> bool:
    """Put a reply of an export where it belongs; whether that made a row. `moved.fits` says whether the chain went on with it."""
    if moved.size is not None:
        return _bury(history, one, moved)
    assert one.reply is not None  # noqa: S101
    digest = one.digest
    if not _is_next(history, one, moved, one.reply.version, digest):
        if (run := history.covering(one.source, digest, one.observed_at)) is not None:
            _stretch(history, run, one, moved)
            return False
        moved.fits = moved.number is None
        before = history.before(one.source, one.reply.version, one.observed_at)
        if before is not None and before.content == digest:
            _stretch(history, before, one, moved, more=moved.seen)
            return False
    run = begin_reply(history, digest, one)
    run.last_seen_at, run.seen = moved.last_seen_at, moved.seen
    return True


def fold_moved_miss(history: History, one: Observation, moved: Moved) -> None:
    """The same for a run of failed polls."""
    content = ((one.error or NotAJobStatus()).kind, one.http_status)
    for run in history.misses:
        if (run.source, run.content) == (one.source, content) and run.covers(one.observed_at):
            _stretch(history, run, one, moved)
            return
    run = begin(history, history.misses, content, one)
    run.last_seen_at, run.seen = moved.last_seen_at, moved.seen


def _stretch(
    history: History, run: ReplyRun, one: Observation, moved: Moved, more: int = 0
) -> None:
    """The run as both know it: as long as the longer one, seen as often as the one that saw it more."""
    seen = run.seen + more if more else max(run.seen, moved.seen)
    if moved.last_seen_at > run.last_seen_at:
        run.last_seen_at, run.seen, run.newest = moved.last_seen_at, seen, one
        history.changed[id(run)] = run


def _is_next(history: History, one: Observation, moved: Moved, version: int, digest: bytes) -> bool:
    facts = history.facts(one, version, digest)
    return moved.number == facts.number and moved.link == history.next_link(facts)


def _bury(history: History, one: Observation, moved: Moved) -> bool:
    if moved.number is not None and moved.number <= history.job.chain_length:
        return False  # it stands here, or what it was does
    moved.fits = _is_next(history, one, moved, moved.version, moved.sha256)
    if not moved.fits:
        return False
    facts = history.facts(one, moved.version, moved.sha256)
    number, link = history.chain(facts)
    history.buried.append((
        None, history.job.pk, number, one.source, facts.version, facts.http_status, facts.content_type, facts.sha256,
        one.observed_at, moved.last_seen_at, moved.seen, link, moved.size,
    ))  # fmt: skip
    return True


def give_keys(histories: Iterable[History]) -> None:
    """Removed replies count by the same keys as stored ones."""
    buried = [(history, at) for history in histories for at in range(len(history.buried))]
    if not buried:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('jobs_snapshot', 'id')) FROM generate_series(1, %s)",
            [len(buried)],
        )
        for (history, at), (key,) in zip(buried, cursor.fetchall(), strict=True):
            history.buried[at] = (key, *history.buried[at][1:])
