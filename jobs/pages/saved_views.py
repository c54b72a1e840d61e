"""Filters saved under a name: for oneself, or shared with everybody."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.lists.counts import bounded_count
from jobs.models import Job, SavedView
from jobs.pages.jobs import filtered_for_reader, view_query

MAX_NAME = 80  # characters
MAX_QUERY = 4000  # characters


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Save these filters under a name; replaces the user's own view of the same name."""
    query = view_query(QueryDict(request.POST.get("query", "")))
    back = f"{reverse('pages:jobs')}?{query}"
    name = request.POST.get("name", "").replace("\x00", "").strip()
    if not 0 < len(name) <= MAX_NAME:
        messages.error(
            request, _("The name of the view is not valid; expected 1 to 80 characters.")
        )
        return redirect(back)
    if len(query) > MAX_QUERY:
        messages.error(
            request, _("The filters are too long to save; expected at most 4,000 characters.")
        )
        return redirect("pages:jobs")

    values = {"query": query, "is_shared": "is_shared" in request.POST}
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(
                owner_id=request.user.pk,
                name=name,
                defaults=values,
                create_defaults={**values, "created_at": timezone.now()},
            )
    except IntegrityError:
        messages.error(request, _("A view with this name was saved just now; try again."))
    else:
        messages.success(request, _("Saved as “%(name)s”.") % {"name": name})
    return redirect(back)


@require_POST
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete one of the user's own views."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user.pk)
    view.delete()
    messages.success(request, _("The view “%(name)s” was deleted.") % {"name": view.name})
    return redirect("pages:jobs")


@require_safe
def view_count(request: HttpRequest, pk: int) -> HttpResponse:
    """How many jobs a saved view shows to this user; a part, loaded when the menu opens."""
    view = get_object_or_404(SavedView.objects.visible_to(request.user), pk=pk)
    visible = Job.objects.visible_to(request.user)
    matching, _problems = filtered_for_reader(QueryDict(view.query), visible)
    count, over = bounded_count(matching)
    return HttpResponse(f"{count:,}{'+' if over else ''}", content_type="text/plain; charset=utf-8")
