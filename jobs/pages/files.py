"""One file path over all its imports."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from jobs.lists.paging import TIME, page
from jobs.pages.lost_files import lost_files
from jobs.queries.files import files_visible_to, path_sums, paths_containing
from jobs.web.addresses import at_cursor
from jobs.web.rendering import render_page

MAX_PATH = 4000  # characters


@require_safe
def files(request: HttpRequest) -> HttpResponseBase:
    """The imports of a path, or the paths that contain it; without one, the files with losses."""
    path = request.GET.get("path", "").replace("\x00", "")[:MAX_PATH]
    if not path:
        return lost_files(request)
    project_id = request.GET.get("project", "").replace("\x00", "")
    visible = files_visible_to(request.user, project_id)
    imports = visible.filter(path=path).select_related("job__graph")
    rows = imports.annotate(begin_time=F("job__begin_time"))
    part, problems = page(request.GET, rows, {"begin_time": TIME}, "-begin_time")
    context: dict[str, Any] = {
        "path": path,
        "project": project_id,
        "page": part,
        "problems": problems,
        "next_url": at_cursor(request, part.next),
        "previous_url": at_cursor(request, part.previous),
    }
    if part.rows:
        context["sums"] = path_sums(imports)
    else:
        context["like"], context["like_over"] = paths_containing(visible, path)
    return render_page(request, "pages/files.html", "files", context)
