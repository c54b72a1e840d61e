"""HTTP responses with the bytes that GES gave: from the store, or live."""

import hashlib
import re
from datetime import datetime

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from jobs.api.proxy.caching import cache_control
from jobs.api.proxy.stored import StoredReply
from jobs.export.job import rfc3339
from jobs.ges.answer import Answer


def stored_response(
    request: Request, stored: StoredReply, now: datetime, upstream_error: str = ""
) -> HttpResponseBase:
    """A stored reply; `upstream_error` is what GES's failure was, where this stands in for it."""
    response = HttpResponse(stored.body, content_type=stored.content_type or "application/json")
    headers = {
        "X-Gesdash-Source": "store",
        "Cache-Control": cache_control(stored.lifetime(now), settings.STALE_IF_ERROR),
        "Age": str(int(stored.age(now))),
    }
    if upstream_error:
        headers["X-Gesdash-Upstream-Error"] = re.sub(r"[^ -~]", "?", upstream_error)[:200]
    return _conditional(request, response, stored.sha256.hex(), stored.last_seen_at, headers)


def live_response(request: Request, answer: Answer) -> HttpResponseBase:
    """What GES just answered."""
    response = HttpResponse(
        answer.body,
        status=answer.http_status,
        content_type=answer.content_type or "application/json",
    )
    age = max(0.0, (timezone.now() - answer.observed_at).total_seconds())
    headers = {
        "X-Gesdash-Source": "live",
        "Cache-Control": "private, no-cache",
        "Age": str(int(age)),
    }
    if answer.request_id and answer.request_id.isprintable():
        headers["X-Request-Id"] = answer.request_id
    digest = hashlib.sha256(answer.body).hexdigest()
    return _conditional(request, response, digest, answer.observed_at, headers)


def _conditional(
    request: Request,
    response: HttpResponse,
    digest: str,
    observed_at: datetime,
    headers: dict[str, str],
) -> HttpResponseBase:
    """The response, or 304 where the caller has these bytes."""
    etag = f'"{digest}"'
    response["ETag"] = etag
    result: HttpResponseBase = response
    if response.status_code == 200:
        conditional = get_conditional_response(request._request, etag=etag, response=response)
        result = conditional or response

    headers["X-Gesdash-Observed-At"] = rfc3339(observed_at) or ""
    headers["Vary"] = "Authorization, X-Auth-Token"
    for name, value in headers.items():
        result[name] = value
    return result
