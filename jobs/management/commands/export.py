"""What is stored, as JSON Lines or CSV, at constant memory."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from heapq import merge
from itertools import batched
from operator import itemgetter
from time import monotonic
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Case, F, OuterRef, Value, When, prefetch_related_objects
from django.db.models.functions import JSONObject
from django.http import QueryDict

from jobs.as_of.graphs import graphs_caveat
from jobs.as_of.jobs import jobs_as_of
from jobs.audit.entries import machine_user, note
from jobs.audit.rows import COLUMNS, OWN, audit_rows, chosen
from jobs.diagnosis.gaps import seen_before
from jobs.export.csv_lines import csv_lines
from jobs.export.job import JOB_COLUMNS, WITH_CORRECTIONS, file_object, job_object, rfc3339
from jobs.lists.filters import FILTERS, filtered
from jobs.lists.paging import read_time
from jobs.models import Correction, ImportFile, Job, Miss, Review, Snapshot, Tombstone
from jobs.models.audit import AuditAction, AuditObject
from jobs.models.job import JobQuerySet

CHUNK, CHUNK_FILES = 500, 5_000  # rows held at once
CHUNK_BODIES = 10  # a body may have 8 MiB
SAID_EACH = 2  # seconds
EARLIER = 6  # replies looked at for when another was last seen: more than there are sources
_KIND_ORDER = Case(
    When(kind="schema", then=Value(0)), When(kind="vertex", then=Value(1)), default=Value(2)
)

type Rows = Iterator[dict[str, Any]]


class Command(BaseCommand):
    help = "Write jobs, files, snapshots, reviews, the audit trail, or the whole history for another gesdash, to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(WRITERS))
        parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        parser.add_argument(
            "--bom",
            action="store_true",
            help="begin CSV with a byte order mark, as Excel needs it for UTF-8",
        )
        for name in FILTERS:
            parser.add_argument(
                f"--{name.replace('_', '-')}", f"--{name}", dest=name, action="append", default=[]
            )
        parser.add_argument(
            "--as-of", help="jobs as they were known at this moment, chosen by what they are now"
        )
        for name in OWN:
            flag = "--of" if name == "what" else f"--{name}"
            parser.add_argument(
                flag,
                dest=f"trail_{name}",
                action="append",
                default=[],
                help="audit only, as on the page",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["bom"] and options["format"] != "csv":
            raise CommandError("--bom is for --format csv; JSON Lines have no byte order mark.")
        params = QueryDict(mutable=True)
        for name in FILTERS:
            params.setlist(name, options[name])
        jobs, problems = filtered(params, Job.objects.all())
        if problems:
            raise CommandError(" ".join(problems))
        columns, write = WRITERS[options["what"]]
        if options["as_of"]:
            write = self._as_of(options)
        if options["what"] == "audit":
            write = self._audit(options, params)
        asked = {
            name: values
            for name, values in [*params.lists(), *self._of_trail(options).lists()]
            if values
        }
        note(
            AuditAction.EXPORTED, AuditObject.EXPORT, request=None, actor=machine_user(), object_name=options["what"],
            after={"format": options["format"], "filters": asked} | ({"as_of": options["as_of"]} if options["as_of"] else {}),
        )  # fmt: skip
        rows = self._counted(write(jobs))
        if options["format"] == "csv":
            lines = csv_lines(columns, rows, bom=options["bom"])
        else:
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        for line in lines:
            self.stdout.write(line, ending="")

    def _counted(self, rows: Rows) -> Rows:
        """The rows, with how many there were until now said every few seconds, where somebody looks on."""
        count, said = 0, monotonic()
        is_watched = (
            self.stderr.isatty() and not self.stdout.isatty()
        )  # else it would stand among the rows
        for count, row in enumerate(rows, 1):
            yield row
            if is_watched and monotonic() - said >= SAID_EACH:
                said = monotonic()
                self.stderr.write(f"{count:,} rows", self.style.NOTICE)
        if is_watched:
            self.stderr.write(f"{count:,} rows: all.", self.style.NOTICE)

    def _as_of(self, options: dict[str, Any]) -> Callable[[JobQuerySet], Rows]:
        if options["what"] != "jobs":
            raise CommandError("--as-of is for jobs; the other rows carry their own times.")
        try:
            at = read_time(options["as_of"])
        except (ValueError, OverflowError) as wrong:
            expected = "expected a time such as 2026-01-31T08:15:00Z"
            raise CommandError(f"--as-of {options['as_of']!r} won't do; {expected}.") from wrong
        if unsure := graphs_caveat(at):
            self.stderr.write(unsure)
        return lambda jobs: _jobs(jobs, at)

    def _of_trail(self, options: dict[str, Any]) -> QueryDict:
        asked = QueryDict(mutable=True)
        for name in OWN:
            asked.setlist(name, options[f"trail_{name}"])
        return asked

    def _audit(self, options: dict[str, Any], params: QueryDict) -> Callable[[JobQuerySet], Rows]:
        entries, problems = chosen(
            self._of_trail(options), filtered(params, Job.objects.all())[0], params
        )
        if problems:
            raise CommandError(" ".join(problems))
        return lambda _jobs: audit_rows(entries)


def _jobs(jobs: JobQuerySet, at: datetime | None = None) -> Rows:
    batch: list[Job] = []
    for job in jobs.select_related("project", "graph").order_by("pk").iterator(chunk_size=CHUNK):
        batch.append(job)
        if len(batch) >= CHUNK or sum(one.file_count for one in batch) >= CHUNK_FILES:
            yield from _with_files(batch, at)
            batch = []
    yield from _with_files(batch, at)


def _with_files(batch: list[Job], at: datetime | None) -> Rows:
    if at is not None:
        found = jobs_as_of(batch, at)
        return (
            job_object(found[job.pk].job, found[job.pk].files) for job in batch if job.pk in found
        )
    prefetch_related_objects(batch, "files", WITH_CORRECTIONS)
    return map(job_object, batch)


def _files(jobs: JobQuerySet) -> Rows:
    rows = ImportFile.objects.filter(job__in=jobs).annotate(
        in_project=F("job__project__project_id"),
        in_graph=F("job__graph__graph_id"),
        in_job=F("job__job_id"),
    )
    for batch in batched(
        rows.order_by("job_id", _KIND_ORDER, "position").iterator(chunk_size=CHUNK_FILES),
        CHUNK_FILES,
    ):
        standing: dict[int, list[Correction]] = defaultdict(list)
        for one in (
            Correction.objects.standing()
            .filter(job__in={file.job_id for file in batch})
            .exclude(kind="")
            .select_related("actor")
        ):
            standing[one.job_id or 0].append(one)
        for file in batch:
            ids = {"project_id": file.in_project, "graph_id": file.in_graph, "job_id": file.in_job}
            yield ids | file_object(file, standing.get(file.job_id, ()))


def _snapshots(jobs: JobQuerySet) -> Rows:
    return (row for _, row in _replies(jobs))


type Placed = Iterator[
    tuple[tuple[int, int, Any], dict[str, Any]]
]  # where a row stands: job by job, a job's chain in order


def _history(jobs: JobQuerySet) -> Rows:
    """All that was observed, for `ingest` of another gesdash: replies, what is left of removed ones, failed polls."""
    nothing = dict.fromkeys(_HISTORY)
    for _, row in merge(_replies(jobs), _removed(jobs), _misses(jobs), key=itemgetter(0)):
        yield nothing | row


def _replies(jobs: JobQuerySet) -> Placed:
    # Of the few replies before it, for when it came; more would make a job of many replies cost their square.
    earlier = Snapshot.objects.filter(
        job=OuterRef("job"), first_seen_at__lte=OuterRef("first_seen_at")
    ).exclude(pk=OuterRef("pk"))
    runs = earlier.order_by("-first_seen_at", "-pk").values(
        run=JSONObject(first="first_seen_at", last="last_seen_at")
    )
    rows = (
        Snapshot.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "number")
    )
    for one in rows.annotate(earlier=ArraySubquery(runs[:EARLIER])).iterator(
        chunk_size=CHUNK_BODIES
    ):
        yield (
            (one.job_id, 0, one.number),
            _run(one) | _came(one) | _chained(one) | {"body": _body(one.body)},
        )


def _came(one: Snapshot) -> dict[str, Any]:
    """Since when a reply may have been what GES said, which nobody saw."""
    before = [
        (read_time(run["first"]), read_time(run["last"])) for run in getattr(one, "earlier", [])
    ]
    since = seen_before(one.first_seen_at, before)
    unobserved = None if since is None else (one.first_seen_at - since).total_seconds()
    return {"changed_after": rfc3339(since), "unobserved_seconds": unobserved}


def _removed(jobs: JobQuerySet) -> Placed:
    rows = (
        Tombstone.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "number")
    )
    for one in rows.iterator(chunk_size=CHUNK):
        yield (one.job_id, 0, one.number), _run(one) | _chained(one) | {"removed_size": one.size}


def _misses(jobs: JobQuerySet) -> Placed:
    rows = (
        Miss.objects.filter(job__in=jobs)
        .select_related("job__project", "job__graph")
        .order_by("job", "first_seen_at", "pk")
    )
    for one in rows.iterator(chunk_size=CHUNK):
        body = None if one.body is None else _body(one.body)
        yield (
            (one.job_id, 1, one.first_seen_at),
            _run(one) | {"miss": one.kind, "detail": one.detail, "body": body},
        )


def _run(one: Snapshot | Tombstone | Miss) -> dict[str, Any]:
    return {
        "project_id": one.job.project.project_id,
        "graph_id": one.job.graph.graph_id,
        "graph_name": one.job.graph.name or None,
        "job_id": one.job.job_id,
        "observed_at": rfc3339(one.first_seen_at),
        "last_seen_at": rfc3339(one.last_seen_at),
        "seen": one.seen,
        "source": one.source,
        "http_status": one.http_status,
    }


def _chained(one: Snapshot | Tombstone) -> dict[str, Any]:
    return {
        "content_type": one.content_type or None,
        "version": one.version,
        "sha256": bytes(one.sha256).hex(),
        "number": one.number,
        "link": bytes(one.link).hex(),
    }


def _body(stored: bytes | memoryview) -> str:
    return bytes(stored).decode("utf-8", "surrogateescape")


type Dated = Iterator[tuple[datetime, dict[str, Any]]]


def _reviews(jobs: JobQuerySet) -> Dated:
    rows = Review.objects.filter(job__in=jobs).select_related(
        "job__project", "job__graph", "actor", "assignee", "fixed_by"
    )
    for one in rows.order_by("made_at", "pk").iterator(chunk_size=CHUNK):
        yield (
            one.made_at,
            _deed("review", one.made_at, one.actor, one.job)
            | {
                "state": one.state,
                "reason": one.note or None,
                "fixed_by": one.fixed_by.job_id if one.fixed_by else None,
                "assignee": _name(one.assignee),
                "due_on": one.due_on.isoformat() if one.due_on else None,
            },
        )


def _deed(what: str, at: datetime, actor: Any, job: Job | None) -> dict[str, Any]:
    """A row with what all deeds have; the rest is null."""
    ids = (
        {"project_id": job.project.project_id, "graph_id": job.graph.graph_id, "job_id": job.job_id}
        if job is not None
        else {}
    )
    return dict.fromkeys(_REVIEW) | {"what": what, "at": rfc3339(at), "actor": _name(actor)} | ids


def _name(user: Any) -> str | None:
    return user.get_username() if user is not None else None


_IDS = ("project_id", "graph_id", "job_id")
_FILE = (
    *_IDS, "kind", "position", "path", "log", "status", "verdict", "ledger", "cause", "total_lines", "failed_lines",
    "successful_lines", "corrections",
)  # fmt: skip
_SNAPSHOT = (
    "project_id", "graph_id", "graph_name", "job_id", "observed_at", "last_seen_at", "seen", "source", "http_status",
    "changed_after", "unobserved_seconds", "content_type", "version", "sha256", "number", "link", "body",
)  # fmt: skip
_HISTORY = (*_SNAPSHOT, "miss", "detail", "removed_size")
_REVIEW = (
    "what", "at", "actor", *_IDS, "kind", "position", "field", "observed", "corrected", "reason", "reverted_at",
    "reverted_by", "reverted_reason", "state", "fixed_by", "assignee", "due_on", "cause",
)  # fmt: skip
#: The columns of each, for a CSV that has no row to tell them, and what makes the rows.
WRITERS: dict[str, tuple[tuple[str, ...], Callable[[JobQuerySet], Rows]]] = {
    "jobs": ((*JOB_COLUMNS, "files"), _jobs),
    "files": (_FILE, _files),
    "snapshots": (_SNAPSHOT, _snapshots),
    "history": (_HISTORY, _history),
    "reviews": (_REVIEW, lambda jobs: map(itemgetter(1), _reviews(jobs))),
    "audit": (COLUMNS, lambda _jobs: iter(())),
}
