"""A person's value over an observed one."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.diagnosis.corrections import FILE_FIELDS
from jobs.models.job import ImportFile, Job


class Correction(models.Model):
    """What a person changed, from what, why and when; `kind` is empty for the job itself, values are text."""

    job = models.ForeignKey(Job, verbose_name=_("job"), on_delete=models.PROTECT, related_name="corrections")
    kind = models.CharField(_("kind"), max_length=6, blank=True)
    position = models.PositiveIntegerField(_("position"), null=True, blank=True)
    field = models.CharField(_("field"), max_length=20)
    observed = models.TextField(_("observed"), null=True, blank=True)  # noqa: DJ001  null is unknown
    corrected = models.TextField(_("corrected"), null=True, blank=True)  # noqa: DJ001
    reason = models.TextField(_("reason"))
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, verbose_name=_("actor"), on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("made at"))
    reverted_at = models.DateTimeField(_("reverted at"), null=True, blank=True)
    reverted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reverted by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        verbose_name, verbose_name_plural = _("correction"), _("corrections")
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
        if not self.kind:
            return field_label(self.field)
        said = {"kind": ImportFile.Kind(self.kind).label, "position": self.position, "field": field_label(self.field)}
        return _("%(kind)s file %(position)s %(field)s") % said


def field_label(name: str) -> str:
    """A field of a job or of a file that can be corrected, in words."""
    model = ImportFile if name in FILE_FIELDS else Job
    return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
