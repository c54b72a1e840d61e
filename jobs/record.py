"""The one writer of what GES said: replies in, snapshots, misses and projections out, one transaction a batch."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, lay_over, read_value
from jobs.diagnosis.ledger import contradiction, file_ledger, job_ledger
from jobs.diagnosis.totals import loss_rate, totals
from jobs.diagnosis.verdict import file_verdict, job_verdict, lost
from jobs.ges.errors import GesError, NotAJobStatus
from jobs.ges.reply import JobReply, parse_reply
from jobs.models import Correction, Graph, ImportFile, Job, Miss, Project, Snapshot

MISS_BODY = 64 * 1024  # bytes kept of an answer that is no status: enough to see what it was

_JOB_COLUMNS = [
    "job_type", "job_name", "status", "verdict", "ledger", "begin_time", "end_time", "fail_reason", "oddities", "lines",
    "loss_rate", "file_count", "lost_file_count", "observed_at", "first_seen_at", "snapshot_count",
]  # fmt: skip
_FILE_COLUMNS = [
    "path", "log", "status", "verdict", "ledger", "contradiction", "cause", "total_lines", "failed_lines", "successful_lines",
]  # fmt: skip


@dataclass(slots=True)
class Observation:
    """What came of asking about one job once: a reply, or the error that stood in its place."""

    job: Job
    source: str
    observed_at: datetime
    http_status: int | None
    body: bytes | None
    reply: JobReply | None = None
    error: GesError | None = None
    content_type: str = ""


@dataclass(slots=True)
class Recorded:
    """How many observations became rows, were folded into one that stood, or became misses."""

    recorded: int = 0
    repeated: int = 0
    misses: int = 0


def observe(job: Job, source: str, observed_at: datetime, http_status: int, body: bytes) -> Observation:
    """Read the bytes that GES gave about a job; what can't be read is an observation too."""
    seen = Observation(job, source, observed_at, http_status, body)
    try:
        seen.reply = parse_reply(body, http_status=http_status, job_id=job.job_id)
    except GesError as error:
        seen.error = error
    return seen


def find_jobs(project: Project, wanted: Iterable[tuple[Graph, str, datetime]]) -> dict[str, Job]:
    """The jobs of a project by GES's job id, made where they are missing; each comes with the time it was first seen."""
    rows = [Job(project=project, graph=graph, job_id=job_id, first_seen_at=at) for graph, job_id, at in wanted]
    known = Job.objects.filter(project=project, job_id__in=[row.job_id for row in rows]).select_related("graph", "project")
    found = {job.job_id: job for job in known}
    if missing := [row for row in rows if row.job_id not in found]:
        Job.objects.bulk_create(sorted(missing, key=lambda row: row.job_id), ignore_conflicts=True)
        found = {job.job_id: job for job in known.all()}
    return found


def find_graph(project: Project, graph_id: str, name: str = "") -> Graph:
    """The graph with this id, made if missing; a row that had only the name gets its id."""
    graph, made = Graph.objects.get_or_create(project=project, graph_id=graph_id, defaults={"name": name})
    if not made and name and graph.name != name:
        graph.name = name
        graph.save(update_fields=["name"])
    return graph


@dataclass(slots=True)
class _History:
    """One job's stored rows, as the fold needs them: no bodies."""

    job: Job
    snapshots: list[Snapshot]
    misses: list[Miss]
    fresh: list[Snapshot | Miss] = field(default_factory=list)
    touched: dict[tuple[str, int], Snapshot | Miss] = field(default_factory=dict)
    replies: dict[int, JobReply] = field(default_factory=dict)


@transaction.atomic
def record(observations: Sequence[Observation]) -> Recorded:
    """Store what was observed and bring the jobs' projections up to date.

    The jobs' rows are locked in order of id, so that two recorders of one job take turns and never deadlock.
    """
    ids = sorted({one.job.pk for one in observations})
    jobs = {job.pk: job for job in Job.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    histories = _histories(jobs)
    count = Recorded()
    for one in sorted(observations, key=lambda o: o.observed_at):
        _fold(histories[one.job.pk], one, count)
    fresh = [row for history in histories.values() for row in history.fresh]
    Snapshot.objects.bulk_create([row for row in fresh if isinstance(row, Snapshot)])
    Miss.objects.bulk_create([row for row in fresh if isinstance(row, Miss)])
    touched = [row for history in histories.values() for row in history.touched.values()]
    Snapshot.objects.bulk_update([r for r in touched if isinstance(r, Snapshot)], ["last_seen_at", "seen"])
    Miss.objects.bulk_update([r for r in touched if isinstance(r, Miss)], ["last_seen_at", "seen", "detail", "body"])
    _project([history for history in histories.values() if history.fresh or history.touched])
    return count


def _histories(jobs: dict[int, Job]) -> dict[int, _History]:
    histories = {pk: _History(job, [], []) for pk, job in jobs.items()}
    for snapshot in Snapshot.objects.filter(job__in=jobs).defer("body").order_by("first_seen_at", "pk"):
        histories[snapshot.job_id].snapshots.append(snapshot)
    for miss in Miss.objects.filter(job__in=jobs).defer("body").order_by("first_seen_at", "pk"):
        histories[miss.job_id].misses.append(miss)
    return histories


def _fold(history: _History, one: Observation, count: Recorded) -> None:
    """Put one observation where it belongs: into a row that already holds it, onto its equal neighbour, or a new row."""
    if one.reply is None:
        _fold_miss(history, one, count)
        return
    body = one.body or b""
    digest = hashlib.sha256(body).digest()
    rows = [row for row in history.snapshots if row.source == one.source]
    equal = [row for row in rows if bytes(row.sha256) == digest]
    if any(row.first_seen_at <= one.observed_at <= row.last_seen_at for row in equal):
        count.repeated += 1
        return
    before = [row for row in rows if row.first_seen_at <= one.observed_at]
    if before and before[-1] in equal:
        row = before[-1]
        row.last_seen_at, row.seen = one.observed_at, row.seen + 1
        _touch(history, row)
        count.repeated += 1
        return
    row = Snapshot(
        job=history.job,
        source=one.source,
        version=one.reply.version,
        http_status=one.http_status or 200,
        content_type=one.content_type[:255],
        body=body,
        sha256=digest,
        first_seen_at=one.observed_at,
        last_seen_at=one.observed_at,
    )
    history.snapshots.append(row)
    history.snapshots.sort(key=lambda r: r.first_seen_at)
    history.fresh.append(row)
    history.replies[id(row)] = one.reply
    count.recorded += 1


def _fold_miss(history: _History, one: Observation, count: Recorded) -> None:
    error = one.error or NotAJobStatus("There was no answer.")
    alike = [
        row for row in history.misses if (row.kind, row.source, row.http_status) == (error.kind, one.source, one.http_status)
    ]
    count.misses += 1
    if any(row.first_seen_at <= one.observed_at <= row.last_seen_at for row in alike):
        return
    before = [row for row in history.misses if row.first_seen_at <= one.observed_at]
    body = one.body[:MISS_BODY] if one.body is not None else None
    detail = str(error)[:2000].replace("\x00", "")
    if before and before[-1] in alike and not _answered_between(history, before[-1].last_seen_at, one.observed_at):
        row = before[-1]
        row.last_seen_at, row.seen, row.detail, row.body = one.observed_at, row.seen + 1, detail, body
        _touch(history, row)
        return
    row = Miss(
        job=history.job,
        source=one.source,
        kind=error.kind,
        detail=detail,
        http_status=one.http_status,
        body=body,
        first_seen_at=one.observed_at,
        last_seen_at=one.observed_at,
    )
    history.misses.append(row)
    history.misses.sort(key=lambda r: r.first_seen_at)
    history.fresh.append(row)


def _answered_between(history: _History, start: datetime, end: datetime) -> bool:
    return any(row.last_seen_at > start and row.first_seen_at <= end for row in history.snapshots)


def _touch(history: _History, row: Snapshot | Miss) -> None:
    if row.pk is not None:
        history.touched[type(row).__name__, row.pk] = row


def _project(histories: Sequence[_History]) -> None:
    """Bring Job and ImportFile to the newest reply; an older one that came late changes nothing but the counts."""
    standing = _standing_corrections([history.job for history in histories])
    changed: list[tuple[Job, JobReply]] = []
    for history in histories:
        job = history.job
        newest = _newest(history.snapshots)
        job.snapshot_count = len(history.snapshots)
        seen = [row.first_seen_at for row in history.snapshots] + [row.first_seen_at for row in history.misses]
        job.first_seen_at = min([job.first_seen_at, *seen])
        if newest is not None:
            reply = history.replies.get(id(newest)) or _reread(newest, job)
            job.observed_at = newest.last_seen_at
            reply = lay_over(reply, standing[job.pk])
            _fill(job, reply)
            changed.append((job, reply))
    # An upsert of rows that are there and locked: many times cheaper than bulk_update's CASE for each row and column.
    Job.objects.bulk_create(
        [history.job for history in histories], update_conflicts=True, unique_fields=["id"], update_fields=_JOB_COLUMNS
    )
    _write_files(changed)


def _newest(rows: Sequence[Snapshot]) -> Snapshot | None:
    return max(rows, key=lambda row: (row.last_seen_at, row.pk), default=None)


def _reread(snapshot: Snapshot, job: Job) -> JobReply:
    return parse_reply(bytes(snapshot.body), http_status=snapshot.http_status, job_id=job.job_id)


def _standing_corrections(jobs: Sequence[Job]) -> dict[int, list[Correction]]:
    found: dict[int, list[Correction]] = defaultdict(list)
    for one in Correction.objects.filter(job__in=jobs, reverted_at=None).order_by("pk"):
        found[one.job_id].append(one)
    return found


def _fill(job: Job, reply: JobReply) -> None:
    everything = totals(reply.files)
    ledger = job_ledger(reply.files)
    job.status = reply.status[:255]
    job.job_type = (reply.job_type or "")[:255]
    job.job_name = (reply.job_name or "")[:255]
    job.verdict = job_verdict(reply.status, reply.files).value
    job.ledger = ledger.value if ledger else None
    job.begin_time, job.end_time = reply.begin_time, reply.end_time
    job.fail_reason = reply.fail_reason or ""
    job.oddities = list(reply.oddities)
    job.lines = {kind: asdict(totals(reply.files, kind)) for kind in ("edge", "vertex")} | {"all": asdict(everything)}
    job.loss_rate = loss_rate(everything)
    job.file_count, job.lost_file_count = len(reply.files), lost(reply.files)


def _write_files(changed: Sequence[tuple[Job, JobReply]]) -> None:
    """Upsert the files by their place, so that a file keeps its row, and drop places that are no longer told."""
    rows = [
        ImportFile(
            job=job,
            kind=file.kind,
            position=file.position,
            path=file.path,
            log=file.log,
            status=file.status[:255],
            verdict=file_verdict(file).value,
            ledger=file_ledger(file).value,
            contradiction=_sentence(contradiction(file)),
            cause=file.cause,
            total_lines=file.total_lines,
            failed_lines=file.failed_lines,
            successful_lines=file.successful_lines,
        )
        for job, reply in changed
        for file in reply.files
    ]
    ImportFile.objects.bulk_create(
        rows, batch_size=2000, update_conflicts=True, unique_fields=["job", "kind", "position"], update_fields=_FILE_COLUMNS
    )
    wanted = {(job.pk, kind): 0 for job, _ in changed for kind in ImportFile.Kind.values}
    for row in rows:
        wanted[row.job_id, row.kind] += 1
    stored = ImportFile.objects.filter(job__in=[job for job, _ in changed]).values_list("pk", "job_id", "kind", "position")
    stale = [pk for pk, job_id, kind, position in stored.iterator() if position >= wanted[job_id, kind]]
    if stale:
        ImportFile.objects.filter(pk__in=stale).delete()


@transaction.atomic
def rebuild(jobs: Sequence[Job]) -> int:
    """Derive these jobs' rows anew from the stored replies; how many have one."""
    locked = {job.pk: job for job in Job.objects.select_for_update().filter(pk__in=[j.pk for j in jobs]).order_by("pk")}
    histories = _histories(locked)
    _project(list(histories.values()))
    return sum(bool(history.snapshots) for history in histories.values())


@transaction.atomic
def correct(
    job: Job, *, kind: str, position: int | None, field: str, corrected: str | None, reason: str, actor: User, now: datetime
) -> Correction:
    """Lay a person's value over an observed one. A correction of the same place and field that stood is reverted.

    Raises: ValueError with a sentence when the field, the value or the reason won't do.
    """
    if field not in (FILE_FIELDS if kind else JOB_FIELDS):
        raise ValueError(f"{field!r} can't be corrected.")
    if not reason.strip():
        raise ValueError("A correction needs a reason.")
    read_value(field, corrected)
    job = Job.objects.select_for_update().get(pk=job.pk)
    Correction.objects.filter(job=job, kind=kind, position=position, field=field, reverted_at=None).update(
        reverted_at=now, reverted_by=actor
    )
    _reproject(job)
    target: Job | ImportFile | None = job
    if kind:
        target = job.files.filter(kind=kind, position=-1 if position is None else position).first()
    if target is None:
        raise ValueError(f"The job has no {kind} file at position {position}.")
    made = Correction.objects.create(
        job=job,
        kind=kind,
        position=position,
        field=field,
        observed=_as_text(getattr(target, field)),
        corrected=corrected or None,
        reason=reason.strip(),
        actor=actor,
        made_at=now,
    )
    _reproject(job)
    return made


@transaction.atomic
def revert(correction: Correction, *, actor: User, now: datetime) -> None:
    """Undo a correction: what was observed shows again, and the correction stays on record as undone.

    Raises: ValueError when it was undone before.
    """
    standing = Correction.objects.filter(pk=correction.pk, reverted_at=None)
    if not standing.update(reverted_at=now, reverted_by=actor):
        raise ValueError("This correction is already undone.")
    _reproject(correction.job)


def _reproject(job: Job) -> None:
    rebuild([job])
    job.refresh_from_db()


def _sentence(text: str | None) -> dict[str, object] | None:
    return {"text": text, "values": {}} if text else None


def _as_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
