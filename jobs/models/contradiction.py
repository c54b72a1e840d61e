"""Where GES contradicted its own earlier responses: a projection of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.diagnosis.changes import ContradictionKind
from jobs.models.job import Job


class Contradiction(models.Model):
    """A response that contradicts the one before it, or itself, in one way.

    Written by: `record.contradictions`.
    """

    class Kind(models.TextChoices):
        """The words of `diagnosis.changes.ContradictionKind`, with their labels."""

        FINAL_WORD = ContradictionKind.FINAL_WORD.value, _("Final status withdrawn")
        EARLIER = ContradictionKind.EARLIER.value, _("Time moved backwards")
        ENDS_FIRST = ContradictionKind.ENDS_FIRST.value, _("End time before start time")
        FEWER_LINES = ContradictionKind.FEWER_LINES.value, _("Fewer lines than before")
        FILES = ContradictionKind.FILES.value, _("Different list of files")

    # Found by the index of one_oddity_a_kind.
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        on_delete=models.CASCADE,
        related_name="contradictions",
        db_index=False,
    )
    seen_at = models.DateTimeField(_("seen at"), help_text=_("When the response was first seen."))
    kind = models.CharField(_("type"), max_length=12, choices=Kind)
    count = models.PositiveIntegerField(
        _("count"), help_text=_("How many values of the response are inconsistent in this way.")
    )
    says = models.JSONField(
        _("description"), help_text=_("A sentence (ges.sentence) about the first of them.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("inconsistent response"), _("inconsistent responses")
        constraints = [
            models.UniqueConstraint(fields=["job", "seen_at", "kind"], name="one_oddity_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} x{self.count}"

    @property
    def others(self) -> int:
        """How many more than the one in `says`."""
        return self.count - 1
