"""A graph of a project, as GES describes it and people correct it."""

from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.ges.fields import MAX_ID
from jobs.models.audit_triggers import Audited, plain
from jobs.models.project import Project
from jobs.models.roles import Viewer

if TYPE_CHECKING:
    from jobs.models.correction import Correction


class GraphQuerySet(models.QuerySet["Graph"]):
    """Graphs by who may see them."""

    def visible_to(self, user: Viewer) -> "GraphQuerySet":
        """The graphs of the projects this user may see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Graph(models.Model):
    """A graph; `graph_id` is null while only its name is known, as for jobs of a deleted graph."""

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.PROTECT, related_name="graphs"
    )
    graph_id = models.CharField(  # noqa: DJ001  unknown is not empty
        _("graph ID"), max_length=MAX_ID, null=True, blank=True
    )
    name = models.CharField(_("name"), max_length=MAX_ID, blank=True)
    is_deleted = models.BooleanField(_("no longer in GES"), default=False)
    created_at = models.DateTimeField(
        _("created at"),
        null=True,
        blank=True,
        help_text=_("As returned by GES; a job that started earlier belongs to an earlier graph."),
    )
    # Ids of jobs that GES still lists as this graph's imports, and does not know when asked.
    forgotten_jobs = models.JSONField(default=list, blank=True, editable=False)
    tolerated_loss = models.DecimalField(
        _("failure threshold"),
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_(
            "Share of failed lines, 0 to 1; an import that does not exceed it needs no review."
        ),
    )
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="merged",
        help_text=_(
            "The graph with a known ID that this graph, known only by name, was found to be."
        ),
    )

    objects = GraphQuerySet.as_manager()

    # The corrections that are not undone, where a query has set them.
    standing: "list[Correction]"

    class Meta:
        verbose_name, verbose_name_plural = _("graph"), _("graphs")
        constraints = [
            models.UniqueConstraint(fields=["project", "graph_id"], name="one_graph_an_id"),
            models.UniqueConstraint(
                fields=["project", "name"], condition=Q(graph_id=None), name="one_graph_a_bare_name"
            ),
            models.CheckConstraint(condition=~Q(graph_id=""), name="graph_id_not_empty"),
        ]
        # Discovery makes them; changes of people are noted, and new values of GES.
        triggers = Audited(
            what="graph",
            values={
                **plain("name", "graph_id", "is_deleted", "tolerated_loss"),
                "merged_into": (
                    "(SELECT COALESCE(graph_id, name) FROM jobs_graph "
                    "WHERE id = {row}.merged_into_id)"
                ),
            },
            name="COALESCE(NULLIF({row}.name, ''), {row}.graph_id)",
            notes_rows=False,
            project="{row}.project_id",
            graph="{row}.id",
        ).triggers()

    def __str__(self) -> str:
        return self.name or self.graph_id or ""
