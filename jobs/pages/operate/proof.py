"""`/proof/`: what proves that the stored replies are as they came, and how to check it."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from jobs.models import Checkpoint, Project
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.state import standings

SHOWN = 200  # projects


@require_safe
def proof(request: HttpRequest) -> HttpResponse:
    """For each project one may see: its newest checkpoint, what is not sealed yet, and the last verification."""
    projects = Project.objects.visible_to(request.user).order_by("name", "project_id", "pk")[:SHOWN]
    return render(request, "pages/operate/proof.html", {"standings": standings(list(projects))})


@require_safe
def checkpoint(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A checkpoint as a small file to be kept outside; `verify --checkpoint` compares with it."""
    found = Checkpoint.objects.visible_to(request.user).select_related("project")
    one = get_object_or_404(found, project=pk, number=number)
    response = HttpResponse(
        json.dumps(as_file(one), indent=2, ensure_ascii=False) + "\n",
        content_type="application/json",
    )
    response["Content-Disposition"] = (
        f'attachment; filename="checkpoint-{one.project_id}-{one.number}.json"'
    )
    return response
