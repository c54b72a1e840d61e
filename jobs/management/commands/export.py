"""What is stored, as JSON Lines or CSV, at constant memory."""

import csv
import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from jobs.filters import FILTERS, filtered
from jobs.models import Correction, Job, Snapshot
from jobs.models.export import file_object, job_object, rfc3339

CHUNK = 500


class Command(BaseCommand):
    help = "Write jobs, files, snapshots or the audit trail to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=list(WRITERS))
        parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        for name in FILTERS:
            parser.add_argument(f"--{name.replace('_', '-')}", f"--{name}", dest=name, action="append", default=[])

    def handle(self, *args: Any, **options: Any) -> None:
        params = QueryDict(mutable=True)
        for name in FILTERS:
            params.setlist(name, options[name])
        jobs, problems = filtered(params, Job.objects.all())
        if problems:
            raise CommandError(" ".join(problems))
        rows = WRITERS[options["what"]](jobs)
        if options["format"] == "csv":
            _write_csv(rows)
            return
        for row in rows:
            self.stdout.write(json.dumps(row, ensure_ascii=False))


def _jobs(jobs: Any) -> Iterator[dict[str, Any]]:
    rows = jobs.select_related("project", "graph").prefetch_related("files").order_by("pk")
    return map(job_object, rows.iterator(chunk_size=CHUNK))


def _files(jobs: Any) -> Iterator[dict[str, Any]]:
    for job in jobs.select_related("project", "graph").prefetch_related("files").order_by("pk").iterator(chunk_size=CHUNK):
        for file in job.files.all():
            ids = {"project_id": job.project.project_id, "graph_id": job.graph.graph_id, "job_id": job.job_id}
            yield ids | file_object(file)


def _snapshots(jobs: Any) -> Iterator[dict[str, Any]]:
    rows = Snapshot.objects.filter(job__in=jobs).select_related("job__project", "job__graph").order_by("pk")
    for one in rows.iterator(chunk_size=50):
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


def _audit(jobs: Any) -> Iterator[dict[str, Any]]:
    rows = Correction.objects.filter(job__in=jobs).select_related("job", "actor", "reverted_by").order_by("pk")
    for one in rows.iterator(chunk_size=CHUNK):
        yield {
            "at": rfc3339(one.made_at),
            "actor": one.actor.get_username(),
            "job_id": one.job.job_id,
            "kind": one.kind or None,
            "position": one.position,
            "field": one.field,
            "observed": one.observed,
            "corrected": one.corrected,
            "reason": one.reason,
            "reverted_at": rfc3339(one.reverted_at),
            "reverted_by": one.reverted_by.get_username() if one.reverted_by else None,
        }


WRITERS = {"jobs": _jobs, "files": _files, "snapshots": _snapshots, "audit": _audit}


def _write_csv(rows: Iterator[dict[str, Any]]) -> None:
    """Nested values as JSON text; text a spreadsheet would run as a formula gets a quote in front."""
    writer = None
    for row in rows:
        flat = {key: _cell(value) for key, value in row.items()}
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(flat))
            writer.writeheader()
        writer.writerow(flat)


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
