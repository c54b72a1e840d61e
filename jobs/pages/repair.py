"""What to import again, ready to copy. gesdash sends nothing."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.diagnosis.repair import repair_kit
from jobs.pages.job import visible
from jobs.pages.rendering import render_page
from jobs.paging import one_of


@require_safe
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """The lost files as a list, the requests that import them again for v1 and v2, and what to mind first."""
    one = visible(request, pk)
    kit = repair_kit(
        list(one.files.order_by("-kind", "position")),
        endpoint=one.project.endpoint,
        project_id=one.project.project_id,
        graph_id=one.graph.graph_id,
    )
    if "list" in request.GET:
        response = HttpResponse("".join(f"{path}\n" for path in kit.paths), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="lost-files-{one.pk}.txt"'
        return response
    problems: list[str] = []
    version = one_of(request.GET, "api", ("v1", "v2"), "v1", problems)
    requests = [(made, getattr(made, f"{version}_body"), getattr(made, f"{version}_curl")) for made in kit.requests]
    context = {"job": one, "kit": kit, "version": version, "requests": requests, "problems": problems}
    return render_page(request, "pages/repair.html", "repair", context)
