"""A call to GES that many callers share, whichever process they came to (single flight)."""

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models import Q

from jobs.ges.answer import Answer
from jobs.ges.fields import MAX_ID
from jobs.models.project import Project


class CallKey(NamedTuple):
    """One question to GES: the status of a job, at the v1.0 or the v2 address."""

    project: int
    graph_id: str
    job_id: str
    version: int


class CallQuerySet(models.QuerySet["Call"]):
    """Calls, and the claims on them."""

    def about(self, key: CallKey) -> "CallQuerySet":
        """The row of this question."""
        return self.filter(**key._asdict())

    def claim(self, key: CallKey, *, since: datetime, now: datetime, until: datetime) -> bool:
        """Claim a call until then; False where somebody else makes it, or made it since.

        `since`: when the caller came.
        """
        free = self.about(key).filter(Q(leased_until=None) | Q(leased_until__lte=now))
        if free.exclude(answered_at__gte=since).update(leased_until=until):
            return True
        columns = {
            "project_id": key.project,
            "graph_id": key.graph_id,
            "job_id": key.job_id,
            "version": key.version,
        }
        return self.get_or_create(**columns, defaults={"leased_until": until})[1]


class Call(models.Model):
    """Who makes the call now, and its newest answer, kept only while others may wait for it.

    Written by: `models.call` (claims) and `polling.single_flight`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    graph_id = models.CharField(max_length=MAX_ID)
    job_id = models.CharField(max_length=MAX_ID)
    version = models.PositiveSmallIntegerField()
    leased_until = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    content_type = models.TextField(blank=True)
    request_id = models.TextField(blank=True)
    body = models.BinaryField(null=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "graph_id", "job_id", "version"], name="one_call_a_question"
            )
        ]

    def __str__(self) -> str:
        return f"v{self.version} {self.job_id}"

    @property
    def answer(self) -> Answer | None:
        """GES's answer, once there is one."""
        if self.answered_at is None or self.http_status is None or self.body is None:
            return None
        return Answer(
            self.http_status,
            bytes(self.body),
            self.content_type,
            self.request_id or None,
            None,
            self.answered_at,
        )
