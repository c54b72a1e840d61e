"""One path over all its imports."""

from collections import Counter
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from jobs.lists.paging import TIME, page
from jobs.models import ImportFile, Job
from jobs.pages.jobs import at_cursor
from jobs.pages.lost_files import lost_files
from jobs.web.rendering import render_page

SHOWN, LIKE = 100, 1000


@require_safe
def files(request: HttpRequest) -> HttpResponseBase:
    """The files that lost lines; with a path, where it is, and with one whole path, its biography."""
    path = request.GET.get("path", "").replace("\x00", "")[:4000]
    if not path:
        return lost_files(request)
    visible = ImportFile.objects.filter(job__in=Job.objects.visible_to(request.user))
    if project := request.GET.get("project", "").replace("\x00", ""):
        visible = visible.filter(job__project__project_id=project)
    context: dict[str, Any] = {"path": path, "project": project}
    exact = visible.filter(path=path).select_related("job__graph")
    shown, problems = page(
        request.GET,
        exact.annotate(begin_time=F("job__begin_time")),
        {"begin_time": TIME},
        "-begin_time",
    )
    context |= {
        "page": shown,
        "problems": problems,
        "next_url": at_cursor(request, shown.next),
        "previous_url": at_cursor(request, shown.previous),
    }
    if shown.rows:
        context["sums"] = exact.order_by().aggregate(
            imports=Count("*"),
            lossy=Count("pk", filter=Q(verdict__in=["partial", "failed"])),
            lost=Sum("failed_lines"),
        )
    else:
        # The newest of them, so that a part of every path costs no more than a part of few.
        like = (
            visible.filter(path__contains=path)
            .order_by("-job__begin_time")
            .values_list("path", flat=True)[:LIKE]
        )
        imports = Counter(like)
        context["like"] = [
            {"path": one, "imports": imports[one]} for one in sorted(imports)[:SHOWN]
        ]
        context["like_over"] = imports.total() == LIKE
    return render_page(request, "pages/files.html", "files", context)
