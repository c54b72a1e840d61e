"""Stored rows as JSON Lines or CSV, at constant memory."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic
from typing import Any, override

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import prefetch_related_objects
from django.http import QueryDict

from jobs.as_of.graphs import graphs_caveat
from jobs.as_of.jobs import jobs_as_of
from jobs.audit.entries import machine_user, note
from jobs.audit.filters import FILTERS as AUDIT_FILTERS
from jobs.audit.rows import COLUMNS, OWN, audit_rows, chosen
from jobs.export.csv_lines import csv_lines
from jobs.export.files import FILE_COLUMNS, file_rows
from jobs.export.history import HISTORY_COLUMNS, SNAPSHOT_COLUMNS, history_rows, snapshot_rows
from jobs.export.job import JOB_COLUMNS, WITH_CORRECTIONS, job_object
from jobs.export.reviews import REVIEW_COLUMNS, review_rows
from jobs.lists.jobs import FILTERS, filtered
from jobs.lists.paging import read_time
from jobs.management.filter_options import add_filter_options, filter_help, query_of
from jobs.models import Job
from jobs.models.audit import AuditAction, AuditObject
from jobs.models.job import JobQuerySet

MAX_JOBS_HELD, MAX_FILES_HELD = 500, 5_000
PROGRESS_SECONDS = 2

type Rows = Iterator[dict[str, Any]]


class Command(BaseCommand):
    help = (
        "Write jobs, files, snapshots, reviews, the audit log, or the whole history for another "
        "gesdash, to standard output."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(WRITERS))
        parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        parser.add_argument(
            "--bom",
            action="store_true",
            help="Begin CSV with a byte order mark, which Excel needs to read UTF-8.",
        )
        parser.add_argument(
            "--as-of", help="Jobs as they were known at this time, chosen by what they are now."
        )
        add_filter_options(parser, FILTERS)

        of_audit = parser.add_argument_group("filters of the audit log", "For `export audit` only.")
        for name in OWN:
            of_audit.add_argument(
                "--of" if name == "what" else f"--{name}",
                dest=f"audit_{name}",
                action="append",
                default=[],
                metavar="VALUE",
                help=filter_help(AUDIT_FILTERS[name]),
            )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["bom"] and options["format"] != "csv":
            raise CommandError("--bom is for --format csv; JSON Lines have no byte order mark.")
        params = query_of(options, FILTERS)
        jobs, problems = filtered(params, Job.objects.all())
        if problems:
            raise CommandError(" ".join(problems))

        columns, write = WRITERS[options["what"]]
        if options["as_of"]:
            write = self._as_of(options)
        if options["what"] == "audit":
            write = self._audit(options, params)
        self._note(options, params)

        rows = self._with_progress(write(jobs))
        if options["format"] == "csv":
            lines = csv_lines(columns, rows, bom=options["bom"])
        else:
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        for line in lines:
            self.stdout.write(line, ending="")

    def _note(self, options: dict[str, Any], params: QueryDict) -> None:
        of_audit = _audit_query(options)
        used = {name: values for name, values in [*params.lists(), *of_audit.lists()] if values}
        after = {"format": options["format"], "filters": used}
        if options["as_of"]:
            after["as_of"] = options["as_of"]
        note(
            AuditAction.EXPORTED,
            AuditObject.EXPORT,
            request=None,
            actor=machine_user(),
            object_name=options["what"],
            after=after,
        )

    def _with_progress(self, rows: Rows) -> Rows:
        """The rows, with their number every few seconds where a person watches a terminal.

        Where the rows go to the same terminal, it would stand among them.
        """
        is_watched = self.stderr.isatty() and not self.stdout.isatty()
        count, written_at = 0, monotonic()
        for count, row in enumerate(rows, 1):
            yield row
            if is_watched and monotonic() - written_at >= PROGRESS_SECONDS:
                written_at = monotonic()
                self.stderr.write(f"{count:,} rows", self.style.NOTICE)
        if is_watched:
            self.stderr.write(f"{count:,} rows: all.", self.style.NOTICE)

    def _as_of(self, options: dict[str, Any]) -> Callable[[JobQuerySet], Rows]:
        if options["what"] != "jobs":
            raise CommandError("--as-of is for jobs; the other rows carry their own times.")
        try:
            moment = read_time(options["as_of"])
        except (ValueError, OverflowError) as error:
            expected = "expected a time such as 2026-01-31T08:15:00Z"
            raise CommandError(f"--as-of {options['as_of']!r} is not valid; {expected}.") from error
        if warning := graphs_caveat(moment):
            self.stderr.write(warning)
        return lambda jobs: _job_rows(jobs, moment)

    def _audit(self, options: dict[str, Any], params: QueryDict) -> Callable[[JobQuerySet], Rows]:
        jobs, _problems = filtered(params, Job.objects.all())
        entries, problems = chosen(_audit_query(options), jobs, params)
        if problems:
            raise CommandError(" ".join(problems))
        return lambda _jobs: audit_rows(entries)


def _audit_query(options: dict[str, Any]) -> QueryDict:
    return query_of({name: options[f"audit_{name}"] for name in OWN}, OWN)


def _job_rows(jobs: JobQuerySet, moment: datetime | None = None) -> Rows:
    batch: list[Job] = []
    in_order = jobs.select_related("project", "graph").order_by("pk")
    for job in in_order.iterator(chunk_size=MAX_JOBS_HELD):
        batch.append(job)
        is_full = len(batch) >= MAX_JOBS_HELD
        if is_full or sum(job.file_count for job in batch) >= MAX_FILES_HELD:
            yield from _with_files(batch, moment)
            batch = []
    yield from _with_files(batch, moment)


def _with_files(batch: list[Job], moment: datetime | None) -> Rows:
    if moment is None:
        prefetch_related_objects(batch, "files", WITH_CORRECTIONS)
        return map(job_object, batch)
    past_jobs = jobs_as_of(batch, moment)
    return (
        job_object(past_jobs[job.pk].job, past_jobs[job.pk].files)
        for job in batch
        if job.pk in past_jobs
    )


#: The columns of each, which a CSV without rows needs too, and the source of its rows.
WRITERS: dict[str, tuple[tuple[str, ...], Callable[[JobQuerySet], Rows]]] = {
    "jobs": ((*JOB_COLUMNS, "files"), _job_rows),
    "files": (FILE_COLUMNS, file_rows),
    "snapshots": (SNAPSHOT_COLUMNS, snapshot_rows),
    "history": (HISTORY_COLUMNS, history_rows),
    "reviews": (REVIEW_COLUMNS, review_rows),
    "audit": (COLUMNS, lambda _jobs: iter(())),
}
