"""Rows of reviews."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User

from jobs.export.job import rfc3339
from jobs.models import Review
from jobs.models.job import JobQuerySet

CHUNK = 500  # rows held at once

#: A row has the columns of the audit log's decisions too, which are null here.
REVIEW_COLUMNS = (
    "what",
    "at",
    "actor",
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
)


def review_rows(jobs: JobQuerySet) -> Iterator[dict[str, Any]]:
    """The oldest first."""
    reviews = Review.objects.filter(job__in=jobs).select_related(
        "job__project", "job__graph", "actor", "assignee", "fixed_by"
    )
    empty = dict.fromkeys(REVIEW_COLUMNS)
    for review in reviews.order_by("made_at", "pk").iterator(chunk_size=CHUNK):
        yield empty | {
            "what": "review",
            "at": rfc3339(review.made_at),
            "actor": _username(review.actor),
            "project_id": review.job.project.project_id,
            "graph_id": review.job.graph.graph_id,
            "job_id": review.job.job_id,
            "state": review.state,
            "reason": review.note or None,
            "fixed_by": review.fixed_by.job_id if review.fixed_by else None,
            "assignee": _username(review.assignee),
            "due_on": review.due_on.isoformat() if review.due_on else None,
        }


def _username(user: User | None) -> str | None:
    return user.get_username() if user is not None else None
