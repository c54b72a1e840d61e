"""The trail as rows of the export: what the page shows, with its filters, oldest first."""

from collections.abc import Iterator
from itertools import batched
from typing import Any

from django.http import QueryDict

from jobs.audit.filters import FILTERS, entries_for
from jobs.audit.list import undone_corrections
from jobs.export.job import rfc3339
from jobs.lists.jobs import FILTERS as JOB_FILTERS
from jobs.models import AuditEntry, Correction
from jobs.models.audit import AuditEntryQuerySet, AuditObject
from jobs.models.job import JobQuerySet

CHUNK = 500  # rows held at once
#: Filters of the audit log that a job list does not have; the export's own argument is `what`, so
#: that filter's option is --of.
OWN = tuple(name for name in FILTERS if name not in JOB_FILTERS)
#: Filters that mean the same of a job and of an entry.
_SHARED = ("project", "graph", "job_id")

COLUMNS = (
    "id",
    "what",
    "deed",
    "at",
    "actor",
    "object",
    "name",
    "project_id",
    "graph_id",
    "job_id",
    "kind",
    "position",
    "field",
    "observed",
    "corrected",
    "reason",
    "reverted_at",
    "reverted_by",
    "reverted_reason",
    "state",
    "fixed_by",
    "assignee",
    "due_on",
    "cause",
    "before",
    "after",
    "request_id",
    "address",
    "path",
)


def chosen(
    params: QueryDict, jobs: JobQuerySet, asked_of_jobs: QueryDict
) -> tuple[AuditEntryQuerySet, list[str]]:
    """The entries that match the audit log's own filters, and the jobs if others are used."""
    asked = params.copy()
    for name in _SHARED:
        asked.setlist(name, asked_of_jobs.getlist(name))
    found, problems = entries_for(asked, AuditEntry.objects.all())
    if any(
        value for name, values in asked_of_jobs.lists() if name not in _SHARED for value in values
    ):
        found = found.filter(job__in=jobs)
    return found, problems


def audit_rows(found: AuditEntryQuerySet) -> Iterator[dict[str, Any]]:
    """A row an entry; what is about nothing of the kind is null."""
    rows = found.select_related("project", "graph", "job").order_by("at", "pk")
    for some in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
        undone = undone_corrections(some)
        for one in some:
            yield dict.fromkeys(COLUMNS) | _row(one) | _own_words(one, undone)


def _row(one: AuditEntry) -> dict[str, Any]:
    return {
        "id": one.pk,
        "what": one.what,
        "deed": one.deed,
        "at": rfc3339(one.at),
        "actor": one.actor or None,
        "object": one.object_id,
        "name": one.object_name or None,
        "project_id": one.project.project_id if one.project else None,
        "graph_id": one.graph.graph_id if one.graph else None,
        "job_id": one.job.job_id if one.job else None,
        "reason": one.reason or None,
        "before": one.before,
        "after": one.after,
        "request_id": one.request_id or None,
        "address": one.address or None,
        "path": one.path or None,
    }


def _own_words(one: AuditEntry, undone: dict[int, Correction]) -> dict[str, Any]:
    """Of corrections, decisions and notes, each value in a column of its own."""
    said = one.after or {}
    if one.what == AuditObject.CORRECTION:
        if correction := undone.get(one.object_id or 0):
            said = {
                name: getattr(correction, name)
                for name in ("kind", "position", "field", "observed", "corrected")
            } | said
        names = (
            "position",
            "field",
            "observed",
            "corrected",
            "reverted_at",
            "reverted_by",
            "reverted_reason",
        )
        return {name: said.get(name) for name in names} | {"kind": said.get("kind") or None}
    if one.what == AuditObject.REVIEW:
        return {name: said.get(name) for name in ("state", "fixed_by", "assignee", "due_on")}
    return {"cause": one.object_name} if one.what == AuditObject.NOTE else {}
