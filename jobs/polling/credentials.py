"""IAM's token of a project: one for all workers and web servers.

It is renewed before it expires and when GES refuses it. Whoever renews it holds an advisory lock;
the others wait for that and find the new token. Where IAM gives none, it is not asked again for a
while: five wrong passwords lock a user out.
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
#: A token so young is not renewed for a 401: another one was refused, or the user may not.
MIN_AGE = timedelta(seconds=30)


class NoToken(GesError):
    """IAM gave no token a short while ago, so it is not asked again yet."""

    kind = "no_token"


def needs_token(credentials: Credentials) -> bool:
    """Whether these credentials are a user's, to whom IAM gives a token."""
    return bool(credentials.user) and not credentials.ak and not credentials.token


def token_for(project: Project, credentials: Credentials, *, refused_token: str = "") -> str:
    """The current shared token, never the one GES just refused.

    Raises: the GesError when IAM gives none; NoToken for a while after that.
    """
    token = _stored(project, credentials, refused_token, timezone.now())
    if token is not None:
        return token
    with pglock.advisory(of_project(TOKEN_LOCK, project.pk)):  # no transaction is open meanwhile
        now = timezone.now()
        token = _stored(project, credentials, refused_token, now)
        return token or _renew(project, credentials, now)


def _stored(
    project: Project, credentials: Credentials, refused_token: str, now: datetime
) -> str | None:
    row = IamToken.objects.filter(project=project, credentials=_digest(credentials)).first()
    if row is None:
        return None

    may_not_renew = row.retry_at is not None and row.retry_at > now
    if may_not_renew and row.problem:
        assert row.retry_at is not None  # noqa: S101
        error = NoToken(
            f"IAM gave no token, and is asked again at {row.retry_at:%H:%M:%S} UTC: {row.problem}"
        )
        error.retry_after = (row.retry_at - now).total_seconds()
        raise error

    if row.expires_at is None or row.expires_at - RENEWED_BEFORE <= now:
        return None
    try:
        token = row.value
    except InvalidToken:  # encrypted with a former secret key
        return None
    return token if token != refused_token or may_not_renew else None


def _renew(project: Project, credentials: Credentials, now: datetime) -> str:
    row = IamToken.objects.filter(project=project).first() or IamToken(project=project)
    digest = _digest(credentials)
    if row.credentials != digest:
        row.credentials = digest
        row.failures = 0
    try:
        issued = event_loop.call(iam_token(credentials, project.project_id))
    except GesError as error:
        row.failures += 1
        wait = after_failure(error, row.failures, jitter=0.0) or timedelta(hours=1)
        row.retry_at = now + wait
        row.problem = str(error)[:2000]
        row.expires_at = None
        row.save()
        raise
    row.hold(issued.value, issued.expires_at)
    row.retry_at = now + MIN_AGE
    row.save()
    return issued.value


def _digest(credentials: Credentials) -> str:
    user = [
        credentials.iam_endpoint,
        credentials.domain,
        credentials.user,
        credentials.password,
    ]
    return salted_hmac("gesdash tokens", "\n".join(user), algorithm="sha256").hexdigest()
