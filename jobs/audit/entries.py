"""Entries of the audit log about sessions, refusals, exports and downloads.

Changes that people make are noted by triggers.
"""

import getpass
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

import pghistory
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.utils import timezone

from gesdash import logs
from jobs.models import AccessKey, AuditEntry, Job, Snapshot
from jobs.models.audit import AuditAction, AuditObject

#: Entries a minute that anybody can cause without signing in: of one origin, and of all together.
MAX_OF_ORIGIN, MAX_OF_ALL = 10, 100
MAX_NAME = 150  # characters of a name that somebody typed
MAX_OBJECT_NAME = 300  # characters


class _RateLimit:
    """Per-process rate limit; the last permitted entry says that more were dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute, self._counts = 0, Counter[str]()

    def take(self, origin: str) -> int:
        """Count one entry of this origin; how many were left with it, 0 if it may not be noted."""
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            left = min(MAX_OF_ORIGIN - self._counts[origin], MAX_OF_ALL - self._counts[""])
            if left > 0:
                self._counts[origin] += 1
                self._counts[""] += 1
            return max(left, 0)


rate_limit = _RateLimit()


def address(request: HttpRequest) -> str:
    """The client's address; a proxy's header is trusted only where a proxy is in front."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (
        forwarded if settings.SERVED_OVER_TLS and forwarded else request.META.get("REMOTE_ADDR", "")
    )[:64]


def path(request: HttpRequest) -> str:
    """The request's method and path, as entries keep them."""
    return f"{request.method} {request.path}"[:500].replace("\x00", "")


def origin(request: HttpRequest | None) -> dict[str, str]:
    """The source of an action, as columns of its entry; empty for a command of this machine."""
    if request is None:
        return {"request_id": "", "address": "", "path": ""}
    return {
        "request_id": logs.request_id(request),
        "address": address(request),
        "path": path(request),
    }


def machine_user() -> str:
    """The operating system's user who runs a command; empty where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def note(
    deed: AuditAction,
    what: AuditObject,
    *,
    request: HttpRequest | None,
    actor: Any = None,
    **fields: Any,
) -> AuditEntry:
    """Write an entry; `actor` is a user, or a name that somebody typed."""
    user = actor if isinstance(actor, User) else None
    name = user.get_username() if user else str(actor or "").replace("\x00", "")[:MAX_NAME]
    entry = {
        "at": timezone.now(),
        "deed": deed,
        "what": what,
        "actor_id": user.pk if user else None,
        "actor": name,
    }
    return AuditEntry.objects.create(**entry | origin(request) | fields)


def note_bounded(
    deed: AuditAction, what: AuditObject, *, request: HttpRequest, actor: Any = None, **fields: Any
) -> None:
    """`note`, under the rate limit: for actions that strangers can cause."""
    left = rate_limit.take(f"{deed} {getattr(actor, 'pk', None) or address(request)}")
    if not left:
        return
    if left == 1:
        fields["after"] = (fields.get("after") or {}) | {"more": True}
    note(deed, what, request=request, actor=actor, **fields)


def note_refusal(request: HttpRequest, status: int, *, found: dict[str, Any]) -> None:
    """Note that somebody asked for what they may not see or do.

    `found`: columns of the entry. Whether the object exists is said there only, never in the
    response.
    """
    user = getattr(request, "user", None)
    actor = None if user is None or isinstance(user, AnonymousUser) else user
    note_bounded(
        AuditAction.REFUSED,
        AuditObject.ADDRESS,
        request=request,
        actor=actor,
        object_name=request.path[:MAX_OBJECT_NAME].replace("\x00", ""),
        after={"status": status},
        **found,
    )


def note_download(request: HttpRequest, actor: Any, reply: Snapshot, job: Job) -> None:
    """Note that somebody downloaded a response as received."""
    note(
        AuditAction.DOWNLOADED,
        AuditObject.REPLY,
        request=request,
        actor=actor,
        object_id=reply.pk,
        object_name=job.job_id,
        project_id=job.project_id,
        job_id=job.pk,
        graph_id=job.graph_id,
    )


def note_key_use(key: AccessKey, request: HttpRequest, now: datetime) -> None:
    """Note a key's first use of the day, in each project that it names."""
    if not key.note_use(now):
        return
    projects: list[int | None] = []
    if not key.all_projects:
        projects += key.projects.values_list("pk", flat=True)
    for project in projects or [None]:
        note(
            AuditAction.USED,
            AuditObject.KEY,
            request=request,
            actor=key.user,
            object_id=key.pk,
            object_name=str(key)[:MAX_OBJECT_NAME],
            project_id=project,
        )


def acting(request: HttpRequest) -> pghistory.context:
    """While this lasts, triggers note this request's user and source."""
    user = getattr(request, "user", None)
    return pghistory.context(actor=user.pk if user is not None else None, **origin(request))


def because(reason: str) -> None:
    """Give the reason of all changes from here on in this request."""
    pghistory.context(reason=reason)


def listen() -> None:
    """Note sign-ins, of the pages and of the admin alike."""
    user_logged_in.connect(_signed_in, dispatch_uid="trail")
    user_logged_out.connect(_signed_out, dispatch_uid="trail")
    user_login_failed.connect(_failed, dispatch_uid="trail")


def _signed_in(request: HttpRequest | None, user: User, **_: Any) -> None:
    if request is not None and hasattr(request, "META"):
        note(
            AuditAction.SIGNED_IN,
            AuditObject.SESSION,
            request=request if request.META.get("REMOTE_ADDR") else None,
            actor=user,
        )


def _signed_out(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        note(AuditAction.SIGNED_OUT, AuditObject.SESSION, request=request, actor=user)


def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is not None:
        name = str(credentials.get("username", ""))[:MAX_NAME]
        note_bounded(AuditAction.SIGN_IN_FAILED, AuditObject.SESSION, request=request, actor=name)
