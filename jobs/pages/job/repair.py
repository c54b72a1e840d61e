"""What to import again, ready to copy. gesdash sends nothing."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.decisions.review import propose_fix
from jobs.diagnosis.repair import repair_kit
from jobs.lists.paging import read_choice
from jobs.models.job import LOST_FILE
from jobs.pages.job.page import visible
from jobs.queries.reloads import loads_of, with_loads
from jobs.web.rendering import render_page


@require_safe
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """The lost files as a list, the requests that import them again for v1 and v2, and what to mind first.

    What a later import loaded whole is left out of them, and said; `all` puts it back.
    """
    one = visible(request, pk)
    lost = with_loads(one.files.filter(LOST_FILE), 1).order_by("-kind", "position")
    reloads = {file.path: load for file in lost for load in loads_of(file)}
    wants_all = "all" in request.GET
    kit = repair_kit(
        list(one.files.order_by("-kind", "position")),
        endpoint=one.project.endpoint,
        project_id=one.project.project_id,
        graph_id=one.graph.graph_id,
        loaded=() if wants_all else reloads,
    )
    if "list" in request.GET:
        response = HttpResponse(
            "".join(f"{path}\n" for path in kit.paths), content_type="text/plain; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="lost-files-{one.pk}.txt"'
        return response
    problems: list[str] = []
    version = read_choice(request.GET, "api", ("v1", "v2"), "v1", problems)
    context = {
        "job": one,
        "kit": kit,
        "version": version,
        "requests": [
            (made, getattr(made, f"{version}_body"), getattr(made, f"{version}_curl"))
            for made in kit.requests
        ],
        "problems": problems,
        "reloads": reloads,
        "proposed": propose_fix(one) if reloads else None,
        "wants_all": wants_all,
        "applying": [warning for warning in kit.warnings if not warning.is_general],
        "general": [warning for warning in kit.warnings if warning.is_general],
    }
    return render_page(request, "pages/job/repair.html", "repair", context)
