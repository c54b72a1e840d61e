"""People's reviews of imports with failures."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.audit_triggers import Audited, of_job, plain, username
from jobs.models.job import Job, ReviewState


class Review(models.Model):
    """One decision about an import; rows are only added, and a job's newest one holds.

    Written by: `decisions.review`.
    """

    DECISIONS = (ReviewState.WAITING, ReviewState.TO_FIX, ReviewState.ACCEPTED, ReviewState.FIXED)

    job = models.ForeignKey(
        Job, verbose_name=_("job"), on_delete=models.PROTECT, related_name="reviews"
    )
    state = models.CharField(_("decision"), max_length=9, choices=ReviewState)
    note = models.TextField(
        _("note"),
        blank=True,
        help_text=_("The reason, or what has to be done; required for “Accepted”."),
    )
    fixed_by = models.ForeignKey(
        Job,
        verbose_name=_("fixed by job"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fixes",
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assignee"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_reviews",
    )
    due_on = models.DateField(_("due date"), null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    made_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name, verbose_name_plural = _("review"), _("reviews")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(note=""), name="accepted_with_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state="fixed") | Q(fixed_by__isnull=False), name="fixed_by_a_job"
            ),
            models.CheckConstraint(
                condition=~Q(state="tolerated"), name="tolerance_is_no_decision"
            ),
        ]
        indexes = [models.Index("job", models.F("id").desc(), name="review_newest")]
        triggers = [
            pgtrigger.Protect(name="review_stays", operation=pgtrigger.Update | pgtrigger.Delete),
            *Audited(
                what="review",
                values={
                    **plain("state", "note", "due_on"),
                    "fixed_by": of_job("job_id", "fixed_by_id"),
                    "assignee": username("assignee_id"),
                },
                name=of_job("job_id"),
                project=of_job("project_id"),
                job="{row}.job_id",
                graph=of_job("graph_id"),
                actor="{row}.actor_id",
                reason="{row}.note",
            ).triggers(),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} {self.made_at:%Y-%m-%d}"
