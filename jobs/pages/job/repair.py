"""What to import again, ready to copy. gesdash itself sends nothing."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.decisions.review import propose_fix
from jobs.diagnosis.repair import repair_kit
from jobs.lists.paging import read_choice
from jobs.models.job import LOST_FILE
from jobs.pages.job.lookup import visible_job
from jobs.queries.reloads import loads_of, with_loads
from jobs.web.rendering import render_page


@require_safe
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """The lost files as a list, and the v1 and v2 requests that import them again, with warnings.

    Files a later import has loaded whole are left out of them and named; `all` includes them.
    """
    job = visible_job(request, pk)
    lost_files = with_loads(job.files.filter(LOST_FILE), 1).order_by("-kind", "position")
    reloads = {file.path: load for file in lost_files for load in loads_of(file)}
    wants_all = "all" in request.GET
    kit = repair_kit(
        list(job.files.order_by("-kind", "position")),
        endpoint=job.project.endpoint,
        project_id=job.project.project_id,
        graph_id=job.graph.graph_id,
        loaded=() if wants_all else reloads,
    )
    if "list" in request.GET:
        return _path_list(kit.paths, f"lost-files-{job.pk}.txt")

    problems: list[str] = []
    version = read_choice(request.GET, "api", ("v1", "v2"), "v1", problems)
    context = {
        "job": job,
        "kit": kit,
        "version": version,
        "requests": [
            (call, call.v1_body, call.v1_curl)
            if version == "v1"
            else (call, call.v2_body, call.v2_curl)
            for call in kit.requests
        ],
        "problems": problems,
        "reloads": reloads,
        "proposed": propose_fix(job) if reloads else None,
        "wants_all": wants_all,
        "applying": [warning for warning in kit.warnings if not warning.is_general],
        "general": [warning for warning in kit.warnings if warning.is_general],
    }
    return render_page(request, "pages/job/repair.html", "repair", context)


def _path_list(paths: Sequence[str], filename: str) -> HttpResponse:
    text = "".join(f"{path}\n" for path in paths)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
