"""A person's key for the API and the proxy."""

import base64
import hashlib
import secrets
from datetime import datetime

from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jobs.models.project import Project


def _vault() -> Fernet:
    key = hashlib.sha256(b"gesdash access keys" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class AccessKeyQuerySet(models.QuerySet["AccessKey"]):
    """Questions about keys."""

    def valid(self, now: datetime) -> "AccessKeyQuerySet":
        """Not expired, of a user who may sign in."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), user__is_active=True).select_related("user")

    def for_token(self, token: str, now: datetime) -> "AccessKey | None":
        """The valid key with this token."""
        return self.valid(now).filter(token_digest=_digest(token)).first()


class AccessKey(models.Model):
    """A key pair and a token. A signature can only be checked with the secret, so it is kept encrypted; the token is hashed."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="access_keys"
    )
    projects = models.ManyToManyField(Project, verbose_name=_("projects"), blank=True, related_name="access_keys")
    access_key = models.CharField(_("access key"), max_length=40, unique=True)
    sealed_secret = models.BinaryField(_("sealed secret"))
    token_digest = models.CharField(_("token digest"), max_length=64, unique=True)
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    objects = AccessKeyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("access key"), _("access keys")

    def __str__(self) -> str:
        return self.access_key

    @classmethod
    def issue(cls, user: User, *, now: datetime, expires_at: datetime | None = None) -> tuple["AccessKey", str, str]:
        """A new key with its secret and its token, which can't be read again."""
        secret, token = secrets.token_urlsafe(30), f"gd_{secrets.token_urlsafe(36)}"
        key = cls.objects.create(
            user=user,
            access_key=secrets.token_hex(10).upper(),
            sealed_secret=_vault().encrypt(secret.encode()),
            token_digest=_digest(token),
            created_at=now,
            expires_at=expires_at,
        )
        return key, secret, token

    @property
    def secret(self) -> str:
        """The secret half, for checking a signature."""
        return _vault().decrypt(bytes(self.sealed_secret)).decode()
