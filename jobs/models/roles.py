"""Roles in a project, and what a request's user is limited by."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils.translation import gettext_lazy as _

type Viewer = User | AnonymousUser


class Role(models.TextChoices):
    """Each may do what those before it may; an auditor reads as a viewer and the audit log."""

    VIEWER = "viewer", _("viewer")
    REVIEWER = "reviewer", _("reviewer")
    FIXER = "fixer", _("fixer")
    OWNER = "owner", _("owner")
    AUDITOR = "auditor", _("auditor")


MAY_REVIEW = frozenset({Role.REVIEWER, Role.FIXER, Role.OWNER})
MAY_CORRECT = frozenset({Role.FIXER, Role.OWNER})
MAY_AUDIT = frozenset({Role.AUDITOR, Role.OWNER})


def access_key_of(user: Viewer) -> Any:
    """The AccessKey of the request, which authentication puts on the user; or None."""
    return getattr(user, "access_key", None)


def sees_everything(user: Viewer) -> bool:
    """An administrator who signed in; a request made with their key sees no more than the key."""
    return user.is_superuser and user.is_active and access_key_of(user) is None
