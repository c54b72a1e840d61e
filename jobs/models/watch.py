"""When a job is asked about next. Narrow and without history, so that polling does not bloat Job."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from jobs.models.job import Job


class WatchQuerySet(models.QuerySet["Watch"]):
    """Questions about watches."""

    def due(self, now: datetime) -> "WatchQuerySet":
        """To be asked about now, and claimed by nobody whose lease still holds."""
        return self.filter(next_poll_at__lte=now).filter(Q(leased_until=None) | Q(leased_until__lte=now))


class Watch(models.Model):
    """One job being polled; `next_poll_at` is null once GES has spoken its final word."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="watch")
    next_poll_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "watches"
        # Read by due(): only the watches that will be asked again.
        indexes = [models.Index(fields=["next_poll_at"], condition=Q(next_poll_at__isnull=False), name="watch_due")]

    def __str__(self) -> str:
        return f"watch of {self.job_id}"
