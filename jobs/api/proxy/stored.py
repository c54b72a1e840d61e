"""The newest stored reply to a status request, read in one query, and for how long it is fresh."""

from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet

from jobs.api.authentication import limited_to
from jobs.api.proxy.caching import FOR_EVER
from jobs.api.proxy.path import StatusPath
from jobs.db.prepared import Prepared
from jobs.ges.errors import GesError
from jobs.ges.reply import parse_reply
from jobs.ges.words import Verdict, meaning
from jobs.models import AccessKey, Project, Snapshot
from jobs.models.roles import Viewer
from jobs.polling import schedule

MAX_VERDICTS_KEPT = 10_000

#: By SHA-256 of a body, so that a reply is parsed once and not at each request.
_verdicts: dict[bytes, Verdict] = {}


class StoredReply(NamedTuple):
    """The columns that a response needs and no more: this is read at every request."""

    body: bytes
    sha256: bytes
    content_type: str
    last_seen_at: datetime
    first_seen_at: datetime  # of the job

    def age(self, now: datetime) -> float:
        """Seconds since GES last gave it."""
        return max(0.0, (now - self.last_seen_at).total_seconds())

    def lifetime(self, now: datetime) -> float:
        """Seconds for which it is fresh: until the job would be polled again."""
        interval = schedule.poll_interval(_verdict(self), now - self.first_seen_at)
        return FOR_EVER if interval is None else interval.total_seconds()


def stored_reply(user: Viewer, path: StatusPath) -> StoredReply | None:
    """The newest stored reply, if this user may see it."""
    key: AccessKey | None = getattr(user, "access_key", None)
    shape = _QueryShape(
        is_superuser=user.is_superuser,
        is_limited=key is not None and not key.all_projects,
        version=path.version,
    )
    viewer: dict[str, int] = {} if user.is_superuser else {"user_pk": user.pk or 0}
    if key is not None and shape.is_limited:
        viewer["key_pk"] = key.pk
    rows = _newest_reply.rows(
        shape,
        project_id=path.project_id,
        graph_id=path.graph_id,
        job_id=path.job_id,
        **viewer,
    )
    if not rows:
        return None
    body, sha256, *others = rows[0]
    return StoredReply(bytes(body), bytes(sha256), *others)


class _QueryShape(NamedTuple):
    """All that the SQL depends on beside its values."""

    is_superuser: bool
    is_limited: bool
    version: int


def _newest_reply_query(
    shape: _QueryShape,
    *,
    project_id: str,
    graph_id: str,
    job_id: str,
    user_pk: int = 0,
    key_pk: int = 0,
) -> "QuerySet[Snapshot, Any]":
    viewer = User(pk=user_pk, is_superuser=shape.is_superuser)
    if shape.is_limited:
        limited_to(AccessKey(pk=key_pk), viewer)
    return (
        Snapshot.objects.replies_to(shape.version)
        .filter(
            job__project__in=Project.objects.visible_to(viewer),
            job__project__project_id=project_id,
            job__graph__graph_id=graph_id,
            job__job_id=job_id,
        )
        .values_list("body", "sha256", "content_type", "last_seen_at", "job__first_seen_at")[:1]
    )


_newest_reply = Prepared(_newest_reply_query)


def _verdict(stored: StoredReply) -> Verdict:
    """Of the reply itself; the job's may come from a newer one, or from a correction."""
    verdict = _verdicts.get(stored.sha256)
    if verdict is None:
        try:
            verdict = meaning(parse_reply(stored.body).status)
        except GesError:
            verdict = Verdict.UNKNOWN
        if len(_verdicts) >= MAX_VERDICTS_KEPT:
            _verdicts.clear()
        _verdicts[stored.sha256] = verdict
    return verdict
