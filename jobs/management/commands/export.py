"""What is stored, as JSON Lines or CSV, at constant memory."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from heapq import merge
from operator import itemgetter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Case, Exists, F, OuterRef, Value, When, prefetch_related_objects
from django.http import QueryDict

from jobs.filters import FILTERS, filtered
from jobs.models import Cause, Correction, ImportFile, Job, Review, Snapshot
from jobs.models.export import file_object, job_object, rfc3339, spreadsheet_cell
from jobs.models.job import JobQuerySet

CHUNK, CHUNK_FILES = 500, 5_000  # rows held at once
CHUNK_BODIES = 10  # a body may have 8 MiB
_KIND_ORDER = Case(When(kind="schema", then=Value(0)), When(kind="vertex", then=Value(1)), default=Value(2))

type Rows = Iterator[dict[str, Any]]


class Command(BaseCommand):
    help = "Write jobs, files, snapshots, reviews or the whole audit trail to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(WRITERS))
        parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        parser.add_argument(
            "--bom", action="store_true", help="begin CSV with a byte order mark, as Excel needs it for UTF-8"
        )
        for name in FILTERS:
            parser.add_argument(f"--{name.replace('_', '-')}", f"--{name}", dest=name, action="append", default=[])

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
        if options["format"] == "csv":
            self._write_csv(columns, write(jobs), bom=options["bom"])
            return
        for row in write(jobs):
            self.stdout.write(json.dumps(row, ensure_ascii=False))

    def _write_csv(self, columns: Iterable[str], rows: Rows, *, bom: bool) -> None:
        if bom:
            self.stdout.write("\ufeff", ending="")
        writer = csv.DictWriter(self.stdout, list(columns))
        writer.writeheader()
        for row in rows:
            writer.writerow({key: spreadsheet_cell(value) for key, value in row.items()})


def _jobs(jobs: JobQuerySet) -> Rows:
    batch: list[Job] = []
    for job in jobs.select_related("project", "graph").order_by("pk").iterator(chunk_size=CHUNK):
        batch.append(job)
        if len(batch) >= CHUNK or sum(one.file_count for one in batch) >= CHUNK_FILES:
            yield from _with_files(batch)
            batch = []
    yield from _with_files(batch)


def _with_files(batch: list[Job]) -> Rows:
    prefetch_related_objects(batch, "files")
    return map(job_object, batch)


def _files(jobs: JobQuerySet) -> Rows:
    rows = ImportFile.objects.filter(job__in=jobs).annotate(
        in_project=F("job__project__project_id"), in_graph=F("job__graph__graph_id"), in_job=F("job__job_id")
    )
    for file in rows.order_by("job_id", _KIND_ORDER, "position").iterator(chunk_size=CHUNK_FILES):
        yield {"project_id": file.in_project, "graph_id": file.in_graph, "job_id": file.in_job} | file_object(file)


def _snapshots(jobs: JobQuerySet) -> Rows:
    rows = Snapshot.objects.filter(job__in=jobs).select_related("job__project", "job__graph").order_by("pk")
    for one in rows.iterator(chunk_size=CHUNK_BODIES):
        yield {
            "project_id": one.job.project.project_id,
            "graph_id": one.job.graph.graph_id,
            "graph_name": one.job.graph.name or None,
            "job_id": one.job.job_id,
            "observed_at": rfc3339(one.first_seen_at),
            "last_seen_at": rfc3339(one.last_seen_at),
            "seen": one.seen,
            "source": one.source,
            "http_status": one.http_status,
            "sha256": bytes(one.sha256).hex(),
            "body": bytes(one.body).decode("utf-8", "surrogateescape"),
        }


def _audit(jobs: JobQuerySet) -> Rows:
    """Everything that people did, oldest first, in one shape."""
    return map(itemgetter(1), merge(_corrections(jobs), _reviews(jobs), _notes(jobs), key=itemgetter(0)))


type Dated = Iterator[tuple[datetime, dict[str, Any]]]


def _corrections(jobs: JobQuerySet) -> Dated:
    rows = Correction.objects.filter(job__in=jobs).select_related("job__project", "job__graph", "actor", "reverted_by")
    for one in rows.order_by("made_at", "pk").iterator(chunk_size=CHUNK):
        yield (
            one.made_at,
            _deed("correction", one.made_at, one.actor, one.job)
            | {
                "kind": one.kind or None,
                "position": one.position,
                "field": one.field,
                "observed": one.observed,
                "corrected": one.corrected,
                "reason": one.reason,
                "reverted_at": rfc3339(one.reverted_at),
                "reverted_by": _name(one.reverted_by),
            },
        )


def _reviews(jobs: JobQuerySet) -> Dated:
    rows = Review.objects.filter(job__in=jobs).select_related("job__project", "job__graph", "actor", "assignee", "fixed_by")
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


def _notes(jobs: JobQuerySet) -> Dated:
    rows = Cause.objects.filter(note_at__isnull=False).select_related("project", "note_by")
    if jobs.query.has_filters():
        rows = rows.filter(Exists(ImportFile.objects.filter(cause_group=OuterRef("pk"), job__in=jobs)))
    for one in rows.order_by("note_at", "pk").iterator(chunk_size=CHUNK):
        assert one.note_at is not None  # noqa: S101  asked for
        row = _deed("note", one.note_at, one.note_by, None)
        yield one.note_at, row | {"project_id": one.project.project_id, "cause": one.pattern, "reason": one.note or None}


def _deed(what: str, at: datetime, actor: Any, job: Job | None) -> dict[str, Any]:
    """A row with what all deeds have; the rest is null."""
    ids = (
        {"project_id": job.project.project_id, "graph_id": job.graph.graph_id, "job_id": job.job_id}
        if job is not None
        else {}
    )
    return dict.fromkeys(_AUDIT) | {"what": what, "at": rfc3339(at), "actor": _name(actor)} | ids


def _name(user: Any) -> str | None:
    return user.get_username() if user is not None else None


_IDS = ("project_id", "graph_id", "job_id")
_JOB = (
    "project_id", "graph_id", "graph_name", "job_id", "job_type", "job_name", "status", "verdict", "ledger", "begin_time",
    "end_time", "fail_reason", "observed_at", "snapshots", "contradictions", "lines", "loss_rate", "files",
)  # fmt: skip
_FILE = (
    *_IDS, "kind", "position", "path", "log", "status", "verdict", "ledger", "cause", "total_lines", "failed_lines",
    "successful_lines",
)  # fmt: skip
_SNAPSHOT = (
    "project_id", "graph_id", "graph_name", "job_id", "observed_at", "last_seen_at", "seen", "source", "http_status",
    "sha256", "body",
)  # fmt: skip
_AUDIT = (
    "what", "at", "actor", *_IDS, "kind", "position", "field", "observed", "corrected", "reason", "reverted_at",
    "reverted_by", "state", "fixed_by", "assignee", "due_on", "cause",
)  # fmt: skip
#: The columns of each, for a CSV that has no row to tell them, and what makes the rows.
WRITERS: dict[str, tuple[tuple[str, ...], Callable[[JobQuerySet], Rows]]] = {
    "jobs": (_JOB, _jobs),
    "files": (_FILE, _files),
    "snapshots": (_SNAPSHOT, _snapshots),
    "reviews": (_AUDIT, lambda jobs: map(itemgetter(1), _reviews(jobs))),
    "audit": (_AUDIT, _audit),
}
