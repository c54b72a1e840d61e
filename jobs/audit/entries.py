"""The entries of the audit log that no trigger makes: sign-ins, refusals, downloads, exports."""

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
MOST_OF_ONE, MOST = 10, 100
MOST_NAME = 150  # characters of a name that somebody typed


class _Bound:
    """Bounds entries per minute in this process; the last one says that more were not noted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute, self._counts = 0, Counter[str]()

    def room(self, who: str) -> int:
        """How many more of this origin may be noted, this one included; 0 is none."""
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            left = min(MOST_OF_ONE - self._counts[who], MOST - self._counts[""])
            if left > 0:
                self._counts[who] += 1
                self._counts[""] += 1
            return max(left, 0)


bound = _Bound()


def address(request: HttpRequest) -> str:
    """The client's address; a proxy's header is trusted only if gesdash is behind one."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (
        forwarded if settings.SERVED_OVER_TLS and forwarded else request.META.get("REMOTE_ADDR", "")
    )[:64]


def path(request: HttpRequest) -> str:
    """What was asked."""
    return f"{request.method} {request.path}"[:500].replace("\x00", "")


def origin(request: HttpRequest | None) -> dict[str, str]:
    """Where a deed came from; for a command of this machine, nothing of it."""
    if request is None:
        return {"request_id": "", "address": "", "path": ""}
    return {
        "request_id": logs.request_id(request),
        "address": address(request),
        "path": path(request),
    }


def machine_user() -> str:
    """Who runs a command on this machine; empty where the machine has no name for them."""
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
    """Write an entry; `actor` is a user, or the name somebody gave."""
    user = actor if isinstance(actor, User) else None
    name = user.get_username() if user else str(actor or "").replace("\x00", "")[:MOST_NAME]
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
    """The same for what a stranger can cause as often as they like."""
    left = bound.room(f"{deed} {getattr(actor, 'pk', None) or address(request)}")
    if not left:
        return
    if left == 1:
        fields["after"] = (fields.get("after") or {}) | {"more": True}
    note(deed, what, request=request, actor=actor, **fields)


def note_refusal(request: HttpRequest, status: int, *, found: dict[str, Any]) -> None:
    """Note a request for what the user may not see or do.

    Whether it exists is in the entry only (`found`), never in the response.
    """
    user = getattr(request, "user", None)
    actor = None if user is None or isinstance(user, AnonymousUser) else user
    note_bounded(
        AuditAction.REFUSED,
        AuditObject.ADDRESS,
        request=request,
        actor=actor,
        object_name=request.path[:300].replace("\x00", ""),
        after={"status": status},
        **found,
    )


def note_download(request: HttpRequest, actor: Any, reply: Snapshot, job: Job) -> None:
    """Somebody took out a reply as received."""
    place = {"project_id": job.project_id, "job_id": job.pk, "graph_id": job.graph_id}
    note(
        AuditAction.DOWNLOADED,
        AuditObject.REPLY,
        request=request,
        actor=actor,
        object_id=reply.pk,
        object_name=job.job_id,
        **place,
    )


def note_key_use(key: AccessKey, request: HttpRequest, now: datetime) -> None:
    """The first use of a key a day, in each project that it names."""
    if key.note_use(now):
        named: list[int | None] = (
            [] if key.all_projects else [*key.projects.values_list("pk", flat=True)]
        )
        for project in named or [None]:
            note(
                AuditAction.USED,
                AuditObject.KEY,
                request=request,
                actor=key.user,
                object_id=key.pk,
                object_name=str(key)[:300],
                project_id=project,
            )


def acting(request: HttpRequest) -> pghistory.context:
    """Who the triggers say changed a row, and from where, as long as this lasts."""
    user = getattr(request, "user", None)
    return pghistory.context(actor=user.pk if user is not None else None, **origin(request))


def because(reason: str) -> None:
    """Why, for all that is changed from here on in this request."""
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
        name = str(credentials.get("username", ""))[:MOST_NAME]
        note_bounded(AuditAction.SIGN_IN_FAILED, AuditObject.SESSION, request=request, actor=name)
