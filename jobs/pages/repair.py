"""What to import again, ready to copy. gesdash sends nothing."""

import json

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.diagnosis.repair import repair_kit
from jobs.pages.job import visible
from jobs.pages.rendering import render_page

SHOWN = 100


@require_safe
def repair(request: HttpRequest, pk: int) -> HttpResponse:
    """The lost files as a list, the requests that import them again for v1 and v2, and what to mind first."""
    one = visible(request, pk)
    kit = repair_kit(
        list(one.files.all()),
        endpoint=one.project.endpoint or "https://ges.REGION.myhuaweicloud.com",
        project_id=one.project.project_id,
        graph_id=one.graph.graph_id or "GRAPH_ID",
    )
    if "list" in request.GET:
        response = HttpResponse("".join(f"{path}\n" for path in kit.paths), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="lost-files-{one.pk}.txt"'
        return response
    version = "v2" if request.GET.get("api") == "v2" else "v1"
    requests = [
        (made, _json(getattr(made, f"{version}_body")), getattr(made, f"{version}_curl")) for made in kit.requests[:SHOWN]
    ]
    context = {"job": one, "kit": kit, "version": version, "requests": requests, "request_total": len(kit.requests)}
    return render_page(request, "pages/repair.html", "repair", context)


def _json(body: object) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
