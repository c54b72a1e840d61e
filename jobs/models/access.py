"""A person's key for the API and the proxy."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from jobs.db.prepared import Prepared
from jobs.models.audit_triggers import Audited, plain, project_name, username
from jobs.models.encryption import seal, unseal
from jobs.models.project import Project

USE_NOTED_EVERY = timedelta(minutes=1)  # at most


_PURPOSE = "access keys"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class AccessKeyQuerySet(models.QuerySet["AccessKey"]):
    """Keys by owner, validity and what a caller shows."""

    def of(self, user: User) -> "AccessKeyQuerySet":
        """This user's own, the newest first; only the admin shows another's keys."""
        return self.filter(user=user).order_by("-pk")

    def valid(self, now: datetime) -> "AccessKeyQuerySet":
        """Not expired, not revoked, of a user who may sign in."""
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(alive, revoked_at=None, user__is_active=True).select_related("user")

    @staticmethod
    def for_token(token: str, now: datetime) -> "AccessKey | None":
        """The valid key with this token."""
        return _find_valid("token_digest", _digest(token), now)

    @staticmethod
    def for_access_key(access_key: str, now: datetime) -> "AccessKey | None":
        """The valid key with this public half."""
        return _find_valid("access_key", access_key, now)


class AccessKey(models.Model):
    """A key pair and a token.

    A signature can only be checked with the secret, so that is kept encrypted; the token is hashed.

    Written by: `models.access`.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="access_keys",
    )
    name = models.CharField(
        _("name"), max_length=80, blank=True, help_text=_("Purpose of the key.")
    )
    # A flag, since a key whose only project is deleted must not come to see all the others.
    all_projects = models.BooleanField(
        _("all projects"),
        default=False,
        help_text=_(
            "The key can access everything its user can access; otherwise only the "
            "projects selected here."
        ),
    )
    projects = models.ManyToManyField(
        Project, verbose_name=_("projects"), blank=True, related_name="access_keys"
    )
    access_key = models.CharField(_("access key"), max_length=40, unique=True)
    sealed_secret = models.BinaryField(_("encrypted secret"))
    token_digest = models.CharField(_("token digest"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    requests_per_minute = models.PositiveIntegerField(
        _("requests per minute"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Leave empty to use GESDASH_KEY_REQUESTS."),
    )
    counted_minute = models.DateTimeField(_("counted minute"), null=True, editable=False)
    counted_requests = models.PositiveIntegerField(_("counted requests"), default=0, editable=False)
    noted_on = models.DateField(
        _("first use recorded on"),
        null=True,
        editable=False,
        help_text=_("The last day on which the first use of the day was recorded."),
    )

    objects = AccessKeyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("access key"), _("access keys")
        triggers = Audited(
            what="key",
            values={
                **plain(
                    "access_key",
                    "name",
                    "all_projects",
                    "expires_at",
                    "revoked_at",
                    "requests_per_minute",
                ),
                "user": username("user_id"),
            },
            name="COALESCE(NULLIF({row}.name, ''), {row}.access_key)",
            actor="{row}.user_id",
        ).triggers()

    def __str__(self) -> str:
        return self.name or self.access_key

    @classmethod
    def issue(
        cls,
        user: User,
        *,
        now: datetime,
        expires_at: datetime | None = None,
        name: str = "",
        projects: Iterable[Project] | None = None,
    ) -> tuple["AccessKey", str, str]:
        """A new key with its secret and its token, which can't be read again.

        Without `projects` it sees what its user sees.
        """
        secret, token = secrets.token_urlsafe(30), f"gd_{secrets.token_urlsafe(36)}"
        key = cls.objects.create(
            user=user,
            name=name,
            all_projects=projects is None,
            access_key=secrets.token_hex(10).upper(),
            sealed_secret=seal(secret, _PURPOSE),
            token_digest=_digest(token),
            created_at=now,
            expires_at=expires_at,
        )
        key.projects.set(projects or [])
        return key, secret, token

    @property
    def secret(self) -> str:
        """The secret half, for checking a signature."""
        return unseal(bytes(self.sealed_secret), _PURPOSE)

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def note_use(self, now: datetime) -> bool:
        """Note that the key was used on this day, in one query a day; whether that is new."""
        today = now.date()
        if self.noted_on == today:
            return False
        return bool(
            AccessKey.objects.filter(pk=self.pk).exclude(noted_on=today).update(noted_on=today)
        )

    def revoke(self, now: datetime) -> bool:
        """Revoke it for good; False when it was before."""
        return bool(AccessKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=now))

    def count_requests(self, count: int, *, limit: int, now: datetime) -> bool:
        """Count these requests in this minute, all or none, and note the last use.

        False where they would exceed the limit.
        """
        minute = now.replace(second=0, microsecond=0)
        other = Q(counted_minute=None) | ~Q(counted_minute=minute)
        with_room = AccessKey.objects.filter(
            other | Q(counted_requests__lte=limit - count), pk=self.pk
        )
        return bool(
            with_room.update(
                counted_requests=Case(
                    When(other, then=Value(count)), default=F("counted_requests") + count
                ),
                counted_minute=minute,
                last_used_at=Case(
                    When(
                        Q(last_used_at=None) | Q(last_used_at__lte=now - USE_NOTED_EVERY),
                        then=Value(now),
                    ),
                    default=F("last_used_at"),
                ),
            )
        )


class KeyProject(AccessKey.projects.through):  # type: ignore[name-defined,misc]
    """A project that a key sees; declared for its triggers."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = Audited(
            what="key",
            values={"project": project_name()},
            name=(
                "(SELECT COALESCE(NULLIF(name, ''), access_key) FROM jobs_accesskey "
                "WHERE id = {row}.accesskey_id)"
            ),
            project="{row}.project_id",
            key="{row}.accesskey_id",
            compared=("project",),
        ).triggers()


def _valid_by(field: str, *, shown: str, now: datetime) -> "models.QuerySet[AccessKey, Any]":
    keys = AccessKey.objects.valid(now).filter(**{field: shown}).order_by("pk")
    return keys.values_list(*_KEY_COLUMNS, *(f"user__{name}" for name in _USER_COLUMNS))[:1]


_KEY_COLUMNS = [field.attname for field in AccessKey._meta.concrete_fields]
_USER_COLUMNS = [field.attname for field in User._meta.concrete_fields]
_valid_keys = Prepared(_valid_by)


def _find_valid(field: str, shown: str, now: datetime) -> AccessKey | None:
    """The valid key that a caller shows, with its user."""
    for row in _valid_keys.rows(field, shown=shown, now=now):
        key = AccessKey.from_db(None, _KEY_COLUMNS, row[: len(_KEY_COLUMNS)])
        key.user = User.from_db(None, _USER_COLUMNS, row[len(_KEY_COLUMNS) :])
        return key
    return None
