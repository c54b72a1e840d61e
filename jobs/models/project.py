"""A GES project, and who may do what in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from jobs.ges.fields import MAX_ID
from jobs.models.audit_triggers import Audited, plain
from jobs.models.roles import (
    MAY_AUDIT,
    MAY_CORRECT,
    MAY_REVIEW,
    Role,
    Viewer,
    access_key_of,
    sees_everything,
)

# A Date header tells whole seconds, and an answer may take long: less says nothing.
LEAST_SKEW_CHANGE = timedelta(seconds=2)
CONFUSING_SKEW = timedelta(seconds=30)  # of GES's clock: shown from then on
MAX_SKEW_MS = 2**31 - 1  # what the column holds
_KEPT_ROLES = "_gesdash_roles"  # attribute of a request's user


@dataclass(frozen=True, slots=True)
class _KeptRoles:
    """A user's roles by project, for as long as the request's access key is this one."""

    access_key: Any
    roles: dict[int, str]


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects by who may do what in them."""

    def visible_to(self, user: Viewer) -> "ProjectQuerySet":
        """Those this user may see; with an AccessKey no more than the key's projects."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        visible = self if user.is_superuser else self.filter(membership__user=user)
        access_key = access_key_of(user)
        if access_key is not None and not access_key.all_projects:
            visible = visible.filter(access_keys=access_key)
        return visible.distinct()

    def visible_ids(self, user: Viewer) -> list[int] | None:
        """The keys of those this user may see, None where that is all.

        As values, not as a subquery: the planner then knows how much of a table they own, which
        decides between its indexes.
        """
        return None if sees_everything(user) else list(self.roles_of(user))

    def roles_of(self, user: Viewer) -> dict[int, str]:
        """This user's role by project they may see; an administrator's is an owner's.

        Read once a request, and kept on the request's user as Django keeps permissions.
        """
        access_key = access_key_of(user)
        kept: _KeptRoles | None = getattr(user, _KEPT_ROLES, None)
        if kept is None or kept.access_key is not access_key:
            role = Value(Role.OWNER.value) if user.is_superuser else F("membership__role")
            rows = self.visible_to(user).order_by().values_list("pk", role)
            kept = _KeptRoles(access_key, dict(rows))
            setattr(user, _KEPT_ROLES, kept)
        return kept.roles

    def reviewable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user may review imports, write notes, refresh from GES and track a job."""
        return self._with_role(user, MAY_REVIEW)

    def correctable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user may correct GES's values, if they have the permission to."""
        return self._with_role(user, MAY_CORRECT)

    def corrects_anywhere(self, user: Viewer) -> bool:
        """A fixer or above in any project. One query a request, for a list asks for each action."""
        if user.is_superuser and user.is_active:
            return True
        return not MAY_CORRECT.isdisjoint(self.roles_of(user).values())

    def owned_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user sets members, failure thresholds and access keys."""
        return self._with_role(user, {Role.OWNER})

    def auditable_by(self, user: Viewer) -> "ProjectQuerySet":
        """Where this user sees the whole audit log."""
        return self._with_role(user, MAY_AUDIT)

    def _with_role(self, user: Viewer, roles: Collection[str]) -> "ProjectQuerySet":
        visible = self.visible_to(user)
        if not user.is_authenticated or user.is_superuser:
            return visible
        return visible.filter(membership__user=user, membership__role__in=roles)


class Keeping(models.TextChoices):
    """Which old responses of a job that has ended retention keeps."""

    ALL = "all", _("all")
    CHANGES = "changes", _("first, last and every change")
    ENDS = "ends", _("first and last")


class Project(models.Model):
    """A GES project."""

    project_id = models.CharField(_("project ID"), max_length=MAX_ID, unique=True)
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
    # Where the reading of GES's whole job list goes on; null once it was read to its end.
    history_offset = models.PositiveIntegerField(null=True, blank=True, default=0, editable=False)
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
        triggers = Audited(
            what="project",
            values=plain(
                "project_id",
                "name",
                "endpoint",
                "credentials",
                "calls_per_second",
                "calls_per_minute",
                "watches_proxied",
                "keeps",
                "keep_days",
            ),
            name="{row}.project_id",
            project="{row}.id",
        ).triggers()

    def __str__(self) -> str:
        return self.name or self.project_id

    @property
    def clock_skew(self) -> timedelta | None:
        """How far GES's clock is ahead of ours, negative if behind; None below CONFUSING_SKEW."""
        skew = timedelta(milliseconds=self.clock_skew_ms or 0)
        return skew if abs(skew) >= CONFUSING_SKEW else None

    @property
    def skew_seconds(self) -> int:
        """How far the two clocks are apart, whichever is ahead."""
        return round(abs(self.clock_skew_ms or 0) / 1000)

    def note_clock(self, skews: Sequence[timedelta]) -> None:
        """Keep the median of these as GES's clock skew; written only where it has moved."""
        if not skews:
            return
        skew_ms = round(median(skew.total_seconds() for skew in skews) * 1000)
        skew_ms = max(-MAX_SKEW_MS, min(skew_ms, MAX_SKEW_MS))
        least_change_ms = LEAST_SKEW_CHANGE.total_seconds() * 1000
        if self.clock_skew_ms is None or abs(skew_ms - self.clock_skew_ms) >= least_change_ms:
            self.clock_skew_ms = skew_ms
            self.save(update_fields=["clock_skew_ms"])

    def may_be_reviewed_by(self, user: Viewer) -> bool:
        """Whether this user may review its imports, write notes, refresh and track jobs."""
        return self._role_of(user) in MAY_REVIEW

    def may_be_corrected_by(self, user: Viewer) -> bool:
        """Whether this user may correct GES's values, if they have the permission to."""
        return self._role_of(user) in MAY_CORRECT

    def is_owned_by(self, user: Viewer) -> bool:
        """Whether this user sets its members, failure thresholds and access keys."""
        return self._role_of(user) == Role.OWNER

    def _role_of(self, user: Viewer) -> str:
        """A superuser costs no query."""
        if sees_everything(user):
            return Role.OWNER.value
        return Project.objects.roles_of(user).get(self.pk, "")
