"""For load balancers: alive, and able to serve."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.polling.health import STALLED_AFTER, stalled_since


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 with the failing part when requests cannot be served or due jobs are not polled."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM jobs_project LIMIT 1")
        since = stalled_since(timezone.now())
    except DatabaseError:
        return HttpResponse("database\n", status=503, content_type="text/plain")
    if since is not None:
        text = (
            f"polling: nothing was polled for over {STALLED_AFTER}, "
            f"though something is due since {since:%Y-%m-%dT%H:%M:%SZ}\n"
        )
        return HttpResponse(text, status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")
