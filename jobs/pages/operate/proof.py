"""`/proof/`: what proves that the stored responses are as received, and how to check it."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from jobs.models import Checkpoint, Project
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.state import standings

MAX_PROJECTS = 200


@require_safe
def proof(request: HttpRequest) -> HttpResponse:
    """For each project: its newest checkpoint, what is not in it yet, and the last verification."""
    projects = Project.objects.visible_to(request.user).order_by("name", "project_id", "pk")
    context = {"standings": standings(list(projects[:MAX_PROJECTS]))}
    return render(request, "pages/operate/proof.html", context)


@require_safe
def checkpoint(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A checkpoint as a small file to keep elsewhere; `verify --checkpoint` compares with it."""
    visible = Checkpoint.objects.visible_to(request.user).select_related("project")
    checkpoint = get_object_or_404(visible, project=pk, number=number)
    text = json.dumps(as_file(checkpoint), indent=2, ensure_ascii=False)
    filename = f"checkpoint-{checkpoint.project_id}-{checkpoint.number}.json"
    response = HttpResponse(f"{text}\n", content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
