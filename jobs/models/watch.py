"""When a job is asked about next. Narrow and without history, so that polling does not bloat Job."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job


class WatchQuerySet(models.QuerySet["Watch"]):
    """Questions about watches."""

    def due(self, now: datetime) -> "WatchQuerySet":
        """To be asked about now, and claimed by nobody whose lease still holds."""
        return self.filter(next_poll_at__lte=now).filter(Q(leased_until=None) | Q(leased_until__lte=now))


class Watch(models.Model):
    """One job being polled; `next_poll_at` is null once GES has spoken its final word."""

    job = models.OneToOneField(Job, verbose_name=_("job"), on_delete=models.CASCADE, primary_key=True, related_name="watch")
    next_poll_at = models.DateTimeField(_("next poll at"), null=True)
    leased_until = models.DateTimeField(_("leased until"), null=True)
    failures = models.PositiveIntegerField(_("failures"), default=0)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("watch"), _("watches")
        # Read by due(): only the watches that will be asked again.
        indexes = [models.Index(fields=["next_poll_at"], condition=Q(next_poll_at__isnull=False), name="watch_due")]

    def __str__(self) -> str:
        return _("watch of %(job)s") % {"job": self.job_id}
