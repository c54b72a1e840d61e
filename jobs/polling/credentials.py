"""IAM's token of a project: renewed by one for all workers and web servers, before its end and when GES takes it no more.

Whoever renews holds an advisory lock; the others wait for it and find the new token. Where IAM gives none, nobody asks it
again for a while: five wrong passwords lock a user out.
"""

from datetime import datetime, timedelta

import pglock
from cryptography.fernet import InvalidToken
from django.utils import timezone
from django.utils.crypto import salted_hmac

from jobs.db.locks import TOKEN_LOCK, of_project
from jobs.ges import event_loop
from jobs.ges.client import Credentials, iam_token
from jobs.ges.errors import GesError
from jobs.models import IamToken, Project
from jobs.polling.schedule import after_failure

RENEWED_BEFORE = timedelta(hours=1)  # its end
JUST_NOW = timedelta(
    seconds=30
)  # a token so young is not renewed for a 401: another was refused, or the user may not


class NoToken(GesError):
    """IAM gave no token a short while ago, so it is not asked again yet."""

    kind = "no_token"


def needs_one(who: Credentials) -> bool:
    """Whether these credentials are a user's, whom IAM gives a token."""
    return bool(who.user) and not who.ak and not who.token


def token_for(project: Project, who: Credentials, *, refused: str = "") -> str:
    """The token that all use now; another than `refused`, which GES did not take.

    Raises: the GesError when IAM gives none, NoToken while it is left alone after that.
    """
    found = _held(project, who, refused, timezone.now())
    if found is not None:
        return found
    with pglock.advisory(of_project(TOKEN_LOCK, project.pk)):  # no transaction is open meanwhile
        now = timezone.now()
        return _held(project, who, refused, now) or _renew(project, who, now)


def _held(project: Project, who: Credentials, refused: str, now: datetime) -> str | None:
    row = IamToken.objects.filter(project=project, credentials=_digest(who)).first()
    if row is None:
        return None
    waits = row.retry_at is not None and row.retry_at > now
    if waits and row.problem:
        assert row.retry_at is not None  # noqa: S101
        error = NoToken(
            f"IAM gave no token, and is asked again at {row.retry_at:%H:%M:%S} UTC: {row.problem}"
        )
        error.retry_after = (row.retry_at - now).total_seconds()
        raise error
    if row.expires_at is None or row.expires_at - RENEWED_BEFORE <= now:
        return None
    try:
        value = row.value
    except InvalidToken:  # sealed with a former secret key
        return None
    return value if value != refused or waits else None


def _renew(project: Project, who: Credentials, now: datetime) -> str:
    row = IamToken.objects.filter(project=project).first() or IamToken(project=project)
    if row.credentials != _digest(who):
        row.credentials, row.failures = _digest(who), 0
    try:
        new = event_loop.call(iam_token(who, project.project_id))
    except GesError as error:
        row.failures += 1
        wait = after_failure(error, row.failures, jitter=0.0) or timedelta(hours=1)
        row.retry_at, row.problem, row.expires_at = now + wait, str(error)[:2000], None
        row.save()
        raise
    row.hold(new.value, new.expires_at)
    row.retry_at = now + JUST_NOW
    row.save()
    return new.value


def _digest(who: Credentials) -> str:
    told = "\n".join([who.iam_endpoint, who.domain, who.user, who.password])
    return salted_hmac("gesdash tokens", told, algorithm="sha256").hexdigest()
