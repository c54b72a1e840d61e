"""A person's value over an observed one."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from jobs.diagnosis.corrections import FILE_FIELDS, CorrectionStanding
from jobs.models.audit_triggers import Audited, of_graph, of_job, plain, username
from jobs.models.graph import Graph
from jobs.models.job import ImportFile, Job

_KEPT = ["newest", "flag", "reverted_at", "reverted_by", "reverted_reason"]


def _value(column: str) -> str:
    """The value as people know it: a graph by its name."""
    graph = of_graph("COALESCE(NULLIF(name, ''), graph_id)", f"{column}::bigint")
    return f"CASE WHEN {{row}}.field = 'graph' THEN {graph} ELSE {{row}}.{column} END"


class Flag(models.TextChoices):
    """The words of `diagnosis.corrections.CorrectionStanding`, with their labels."""

    NEEDLESS = CorrectionStanding.NEEDLESS.value, _("Not needed: GES now returns the same value")
    CONTRADICTED = CorrectionStanding.CONTRADICTED.value, _("Conflict: GES now returns a new value")


class CorrectionQuerySet(models.QuerySet["Correction"]):
    """Corrections that stand, and the undoing of them."""

    def standing(self) -> "CorrectionQuerySet":
        """Not undone."""
        return self.filter(reverted_at=None)

    def undo(self, reason: str, actor: User, now: datetime) -> int:
        """Mark these as undone; how many."""
        return self.update(reverted_at=now, reverted_by=actor, reverted_reason=reason)


class Correction(models.Model):
    """A person's change of a value, with its reason; values are text, null is unknown.

    It is of a job (`kind` is empty for the job itself) or of a graph. `observed` is GES's value
    when it was made, `newest` GES's value now, and `flag` what that makes of the correction.

    Written by: `decisions.corrections` and `decisions.graphs` (new rows), `models.correction`
    (undoing), `record.overlay` and `record.graphs` (newest, flag).
    """

    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
    )
    graph = models.ForeignKey(
        Graph,
        verbose_name=_("graph"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
    )
    kind = models.CharField(_("type"), max_length=6, blank=True)
    position = models.PositiveIntegerField(_("position"), null=True, blank=True)
    field = models.CharField(_("field"), max_length=20)
    # Null is unknown.
    observed = models.TextField(_("GES value"), null=True, blank=True)  # noqa: DJ001
    newest = models.TextField(_("current GES value"), null=True, blank=True)  # noqa: DJ001
    corrected = models.TextField(_("corrected value"), null=True, blank=True)  # noqa: DJ001
    flag = models.CharField(_("flag"), max_length=12, choices=Flag, blank=True)
    reason = models.TextField(_("reason"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    made_at = models.DateTimeField(_("created at"))
    reverted_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    reverted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("undone by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    reverted_reason = models.TextField(  # noqa: DJ001  null while it is in force
        _("reason for undoing"), null=True, blank=True
    )

    objects = CorrectionQuerySet.as_manager()

    # By key, the graphs that its values name, where a query has set them.
    graph_names: dict[str, str]

    class Meta:
        verbose_name, verbose_name_plural = _("correction"), _("corrections")
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__regex=r"\S"), name="correction_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(job__isnull=True, graph__isnull=False)
                | Q(job__isnull=False, graph__isnull=True),
                name="correction_of_a_job_or_a_graph",
            ),
            models.UniqueConstraint(
                fields=["job", "graph", "kind", "position", "field"],
                condition=Q(reverted_at=None),
                nulls_distinct=False,
                name="one_standing_correction",
            ),
        ]
        # Those somebody should look at again.
        indexes = [
            models.Index(
                F("id").desc(),
                condition=~Q(flag="") & Q(reverted_at=None),
                name="correction_flagged",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="correction_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(exclude=_KEPT),
            ),
            pgtrigger.Protect(
                name="undone_stays_undone",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__reverted_at__isnull=False),
            ),
            pgtrigger.Protect(name="correction_is_kept", operation=pgtrigger.Delete),
            *Audited(
                what="correction",
                values={
                    **plain("kind", "position", "field", "reverted_at", "reverted_reason"),
                    "observed": _value("observed"),
                    "corrected": _value("corrected"),
                    "reverted_by": username("reverted_by_id"),
                },
                compared=("reverted_at",),
                change="undone",
                name=(
                    f"COALESCE({of_job('job_id')}, "
                    f"{of_graph("COALESCE(NULLIF(name, ''), graph_id)")})"
                ),
                project=f"COALESCE({of_job('project_id')}, {of_graph('project_id')})",
                job="{row}.job_id",
                graph=f"COALESCE({{row}}.graph_id, {of_job('graph_id')})",
                actor="COALESCE({row}.reverted_by_id, {row}.actor_id)",
                reason="COALESCE({row}.reverted_reason, {row}.reason)",
            ).triggers(),
        ]

    def __str__(self) -> str:
        return f"{self.where}: {self.observed} → {self.corrected}"

    @property
    def where(self) -> str:
        """The corrected value's place, in words."""
        if not self.kind:
            return field_label(self.field)
        values = {
            "kind": ImportFile.Kind(self.kind).label,
            "position": self.position,
            "field": field_label(self.field),
        }
        return _("%(kind)s file %(position)s, %(field)s") % values


#: For lists of jobs: the standing corrections of each job itself, as `standing`.
STANDING: "models.Prefetch[str]" = models.Prefetch(
    "corrections",
    queryset=Correction.objects.standing().filter(kind="").select_related("actor"),
    to_attr="standing",
)


#: For graphs: their standing corrections, as `standing`.
OF_GRAPH: "models.Prefetch[str]" = models.Prefetch(
    "corrections",
    queryset=Correction.objects.standing().select_related("actor"),
    to_attr="standing",
)


def field_label(name: str) -> str:
    """A field of a job, of a file or of a graph that can be corrected, in words."""
    model = ImportFile if name in FILE_FIELDS else Graph if name in {"name", "is_deleted"} else Job
    return str(model._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
