"""A GES project, who may see it, and its graphs."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from jobs.models.audit_triggers import plain, project_name, tracked, username

if TYPE_CHECKING:
    from jobs.models.correction import Correction

GES_ID = 255
MOVED = timedelta(
    seconds=2
)  # a Date header tells whole seconds, and an answer may take long: less says nothing
FAR_OFF = timedelta(seconds=30)
MOST_SKEW_MS = 2**31 - 1
Viewer = User | AnonymousUser


class ProjectQuerySet(models.QuerySet["Project"]):
    """Questions about projects."""

    def visible_to(self, user: Viewer) -> "ProjectQuerySet":
        """What this user may see; a request made with an AccessKey sees no more than the key's projects."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        found = self if user.is_superuser else self.filter(membership__user=user)
        limited: Any = getattr(user, "access_key", None)
        if limited is not None and not limited.all_projects:
            found = found.filter(access_keys=limited)
        return found.distinct()

    def visible_ids(self, user: Viewer) -> list[int] | None:
        """The keys of what this user may see, None where that is all.

        As values, not as a subquery: the planner then knows how much of a table they own, which decides between its indexes.
        """
        if user.is_superuser and user.is_active and getattr(user, "access_key", None) is None:
            return None
        return list(self.roles_of(user))

    def roles_of(self, user: Viewer) -> dict[int, str]:
        """This user's role by project they may see; an administrator's is an owner's.

        Read once a request, as Django does with permissions.
        """
        limited: Any = getattr(user, "access_key", None)
        known: Any = getattr(user, "_roles", None)
        if known is None or known[0] is not limited:
            role = (
                Value(Membership.Role.OWNER.value) if user.is_superuser else F("membership__role")
            )
            known = limited, dict(self.visible_to(user).order_by().values_list("pk", role))
            user._roles = known  # type: ignore[union-attr]
        roles: dict[int, str] = known[1]
        return roles

    def reviewable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user may decide about imports, write notes, ask GES now and watch a job."""
        return self._as(
            user, Membership.Role.REVIEWER, Membership.Role.FIXER, Membership.Role.OWNER
        )

    def correctable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user may correct what GES said, if they have the permission to."""
        return self._as(user, Membership.Role.FIXER, Membership.Role.OWNER)

    def corrects_anywhere(self, user: Viewer) -> bool:
        """Whether this user is a fixer or above in any project; asked for each action of a list, so it costs one query."""
        if user.is_superuser and user.is_active:
            return True
        return not {Membership.Role.FIXER, Membership.Role.OWNER}.isdisjoint(
            self.roles_of(user).values()
        )

    def owned_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user says who belongs to it, what loss is tolerated, and which keys see it."""
        return self._as(user, Membership.Role.OWNER)

    def auditable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user sees the whole trail."""
        return self._as(user, Membership.Role.AUDITOR, Membership.Role.OWNER)

    def _as(self, user: Viewer, *roles: str) -> "ProjectQuerySet":
        found = self.visible_to(user)
        if not user.is_authenticated or user.is_superuser:
            return found
        return found.filter(membership__user=user, membership__role__in=roles)


class Keeping(models.TextChoices):
    """Which replies of a job that has ended stay once they are old."""

    ALL = "all", _("all")
    CHANGES = "changes", _("first, last and every change")
    ENDS = "ends", _("first and last")


class Project(models.Model):
    """A GES project."""

    project_id = models.CharField(_("project ID"), max_length=GES_ID, unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    endpoint = models.CharField(_("endpoint"), max_length=300, blank=True)
    credentials = models.CharField(
        _("credentials"),
        max_length=100,
        blank=True,
        help_text=_("Name of the credentials in the settings; never the secret itself."),
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("members"),
        through="Membership",
        related_name="ges_projects",
    )
    discovered_at = models.DateTimeField(_("job list read at"), null=True, blank=True)
    history_offset = models.PositiveIntegerField(
        null=True, blank=True, default=0, editable=False,
        help_text="Where the reading of GES's whole job list goes on; null once it was read to its end.",
    )  # fmt: skip
    history_read_at = models.DateTimeField(
        _("job history read at"),
        null=True,
        blank=True,
        help_text=_("When the whole job list of GES was last read to the end."),
    )
    calls_per_second = models.PositiveIntegerField(
        _("calls per second"),
        default=50,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Maximum number of GES API calls per second by all workers and web servers together."
        ),
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"),
        default=1500,
        validators=[MinValueValidator(1)],
        help_text=_("The same per minute."),
    )
    watches_proxied = models.BooleanField(
        _("track proxied jobs"),
        default=True,
        help_text=_("Poll a job from the time a program first requests it."),
    )
    problem = models.TextField(
        _("problem"),
        blank=True,
        help_text=_("Why the job list of GES could not be read last time; empty if it was read."),
    )
    keeps = models.CharField(
        _("responses to keep"),
        max_length=7,
        choices=Keeping,
        default=Keeping.ALL,
        help_text=_(
            "For ended jobs, applied to responses older than the number of days "
            "below. Failed polls of that age are deleted too, unless all responses "
            "are kept."
        ),
    )
    keep_days = models.PositiveIntegerField(
        _("keep everything for (days)"),
        default=90,
        help_text=_("How long every response is kept, regardless of the rule."),
    )

    clock_skew_ms = models.IntegerField(
        _("clock skew"),
        null=True,
        blank=True,
        editable=False,
        help_text=_(
            "Milliseconds by which the clock of GES is ahead of the local clock, "
            "from its Date headers; null before the first response."
        ),
    )

    objects = ProjectQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("project"), _("projects")
        constraints = [
            models.CheckConstraint(condition=~Q(project_id=""), name="project_id_not_empty")
        ]
        triggers = tracked(
            "project",
            plain(
                "project_id", "name", "endpoint", "credentials", "calls_per_second", "calls_per_minute", "watches_proxied",
                "keeps", "keep_days",
            ),
            name="{row}.project_id",
            project="{row}.id",
        )  # fmt: skip

    def __str__(self) -> str:
        return self.name or self.project_id

    @property
    def clock_skew(self) -> timedelta | None:
        """How far GES's clock is ahead of ours, where that is far enough to confuse a reader; negative where it is behind."""
        skew = timedelta(milliseconds=self.clock_skew_ms or 0)
        return skew if abs(skew) >= FAR_OFF else None

    @property
    def skew_seconds(self) -> int:
        """How far the two clocks are apart, whichever is ahead."""
        return round(abs(self.clock_skew_ms or 0) / 1000)

    def note_clock(self, skews: Sequence[timedelta]) -> None:
        """Keep how far GES's clock is ahead, as the middle one of these tells it; written only where it has moved."""
        if not skews:
            return
        told = round(median(skew.total_seconds() for skew in skews) * 1000)
        told = max(-MOST_SKEW_MS, min(told, MOST_SKEW_MS))
        if (
            self.clock_skew_ms is None
            or abs(told - self.clock_skew_ms) >= MOVED.total_seconds() * 1000
        ):
            self.clock_skew_ms = told
            self.save(update_fields=["clock_skew_ms"])

    def may_be_reviewed_by(self, user: Viewer) -> bool:
        """Whether somebody may decide about its imports, write notes, ask GES now and watch a job."""
        return self._role(user) in {
            Membership.Role.REVIEWER,
            Membership.Role.FIXER,
            Membership.Role.OWNER,
        }

    def may_be_corrected_by(self, user: Viewer) -> bool:
        """Whether somebody may correct what GES said of it, if they have the permission to."""
        return self._role(user) in {Membership.Role.FIXER, Membership.Role.OWNER}

    def is_owned_by(self, user: Viewer) -> bool:
        """Whether somebody says who belongs to it, what loss is tolerated, and which keys see it."""
        return self._role(user) == Membership.Role.OWNER

    def _role(self, user: Viewer) -> str:
        """A superuser costs no query."""
        if user.is_superuser and user.is_active and getattr(user, "access_key", None) is None:
            return Membership.Role.OWNER.value
        return Project.objects.roles_of(user).get(self.pk, "")


class Membership(models.Model):
    """What a user may do in a project."""

    class Role(models.TextChoices):
        """Each may do what those before may; an auditor reads as a viewer does, and the whole trail."""

        VIEWER = "viewer", _("viewer")
        REVIEWER = "reviewer", _("reviewer")
        FIXER = "fixer", _("fixer")
        OWNER = "owner", _("owner")
        AUDITOR = "auditor", _("auditor")

    project = models.ForeignKey(Project, verbose_name=_("project"), on_delete=models.CASCADE)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        verbose_name, verbose_name_plural = _("membership"), _("memberships")
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership")]
        triggers = tracked(
            "membership",
            {"user": username("user_id"), "project": project_name(), **plain("role")},
            name=username("user_id"),
            project="{row}.project_id",
        )

    def __str__(self) -> str:
        return _("%(user)s in %(project)s") % {"user": self.user, "project": self.project}


class GraphQuerySet(models.QuerySet["Graph"]):
    """Questions about graphs."""

    def visible_to(self, user: Viewer) -> "GraphQuerySet":
        """The graphs of the projects this user may see."""
        return self.filter(project__in=Project.objects.visible_to(user))


class Graph(models.Model):
    """A graph; `graph_id` is null while only its name is known, as for jobs of a graph that is gone."""

    project = models.ForeignKey(
        Project, verbose_name=_("project"), on_delete=models.PROTECT, related_name="graphs"
    )
    graph_id = models.CharField(_("graph ID"), max_length=GES_ID, null=True, blank=True)  # noqa: DJ001  unknown is not empty
    name = models.CharField(_("name"), max_length=GES_ID, blank=True)
    is_deleted = models.BooleanField(_("no longer in GES"), default=False)
    created_at = models.DateTimeField(
        _("created at"),
        null=True,
        blank=True,
        help_text=_("As returned by GES; a job that started earlier belongs to an earlier graph."),
    )
    forgotten_jobs = models.JSONField(
        default=list, blank=True, editable=False,
        help_text="Ids of jobs that GES still names as this graph's imports, and knows no more when asked.",
    )  # fmt: skip
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
        # Discovery makes them; what people change is kept, and what GES said anew.
        triggers = tracked(
            "graph",
            {
                **plain("name", "graph_id", "is_deleted", "tolerated_loss"),
                "merged_into": "(SELECT COALESCE(graph_id, name) FROM jobs_graph WHERE id = {row}.merged_into_id)",
            },
            name="COALESCE(NULLIF({row}.name, ''), {row}.graph_id)",
            made=False,
            project="{row}.project_id",
            graph="{row}.id",
        )

    def __str__(self) -> str:
        return self.name or self.graph_id or ""
