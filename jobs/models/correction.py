"""A person's value over an observed one."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job


class Correction(models.Model):
    """What a person changed, from what, why and when; `kind` is empty for the job itself, values are text."""

    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="corrections")
    kind = models.CharField(max_length=6, blank=True)
    position = models.PositiveIntegerField(null=True, blank=True)
    field = models.CharField(max_length=20)
    observed = models.TextField(null=True, blank=True)  # noqa: DJ001  null is unknown
    corrected = models.TextField(null=True, blank=True)  # noqa: DJ001
    reason = models.TextField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    reverted_at = models.DateTimeField(null=True, blank=True)
    reverted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="correction_has_a_reason"),
            models.UniqueConstraint(
                fields=["job", "kind", "position", "field"],
                condition=Q(reverted_at=None),
                nulls_distinct=False,
                name="one_standing_correction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.where}: {self.observed} → {self.corrected}"

    @property
    def where(self) -> str:
        """What was corrected, in words."""
        place = f"{self.kind} {_('file')} {self.position} " if self.kind else ""
        return f"{place}{self.field.replace('_', ' ')}"
