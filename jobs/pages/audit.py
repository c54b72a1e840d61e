"""The trail: who did what, to what, why and from where."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.models import Entry, Project
from jobs.models.trail import Deed, What
from jobs.pages.jobs import at_cursor
from jobs.pages.rendering import render_page
from jobs.paging import page
from jobs.trail_list import DEFAULT_SORT, FILTERS, SORTS, differences, entries_for


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The newest entries first, as many as this user may see."""
    found, problems = entries_for(request.GET, Entry.objects.visible_to(request.user))
    part, more = page(request.GET, found.select_related("project"), SORTS, DEFAULT_SORT)
    asked = {name: request.GET.get(name, "") for name in FILTERS}
    context: dict[str, Any] = {
        "rows": [(entry, differences(entry)) for entry in part.rows],
        "problems": problems + more,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "zone": request.GET.get("zone") or str(timezone.get_current_timezone()),
        "whats": What.choices,
        "deeds": Deed.choices,
        "sees_all": Project.objects.visible_ids(request.user) is None,
        "audited": list(Project.objects.auditable_by(request.user)[:20]),
        "next_url": at_cursor(request, part.next),
        "previous_url": at_cursor(request, part.previous),
    }
    return render_page(request, "pages/audit.html", "trail", context)
