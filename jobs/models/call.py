"""A call to GES that a crowd of callers shares, whichever process they came to."""

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.db.models import Q

from jobs.ges.answer import Answer
from jobs.ges.fields import MAX_ID
from jobs.models.project import Project


class CallKey(NamedTuple):
    """What is asked of GES: the status of a job, at the v1.0 or the v2 address."""

    project: int
    graph_id: str
    job_id: str
    version: int


class CallQuerySet(models.QuerySet["Call"]):
    """Questions about calls."""

    def about(self, question: CallKey) -> "CallQuerySet":
        """The one row of a question."""
        project, graph_id, job_id, version = question
        return self.filter(project=project, graph_id=graph_id, job_id=job_id, version=version)

    def claim(self, question: CallKey, *, since: datetime, now: datetime, until: datetime) -> bool:
        """Whether the caller is the one to ask: nobody else is at it, and nothing was answered since they came."""
        free = self.about(question).filter(Q(leased_until=None) | Q(leased_until__lte=now))
        if free.exclude(answered_at__gte=since).update(leased_until=until):
            return True
        project, graph_id, job_id, version = question
        key = {"project_id": project, "graph_id": graph_id, "job_id": job_id, "version": version}
        return self.get_or_create(**key, defaults={"leased_until": until})[1]


class Call(models.Model):
    """Who asks now, and the newest answer, kept only while a crowd may wait for it; `record` keeps the history."""

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
        """What GES said."""
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
