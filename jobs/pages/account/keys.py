"""`/me/keys/`: one's own access keys.

A key's secret is shown once, on the response to the form that created it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, override

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from jobs.models import AccessKey, Project
from jobs.web.signed_in import signed_in


class KeyForm(forms.Form):
    """The purpose of a new key, its projects and its term."""

    name = forms.CharField(label=gettext_lazy("Purpose"), max_length=80)
    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"),
        min_value=1,
        max_value=3650,
        initial=90,
        help_text=gettext_lazy("1 to 3650"),
    )
    all_projects = forms.BooleanField(
        label=gettext_lazy("All projects I can access, now and in the future"), required=False
    )
    projects = forms.ModelMultipleChoiceField(
        Project.objects.none(), label=gettext_lazy("Or only these projects"), required=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visible = Project.objects.visible_to(user)
        field = self.fields["projects"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101  as declared above
        field.queryset = visible
        if len(only := visible[:2]) == 1:
            field.initial = [only[0].pk]

    @override
    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("all_projects")) == bool(data.get("projects")):
            raise forms.ValidationError(_("Select either all projects or at least one project."))
        return data


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key, with what only its owner may see, once."""

    key: AccessKey
    secret: str
    token: str


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The list, and a form for a new key."""
    user = signed_in(request)
    now = timezone.now()
    form = KeyForm(request.POST or None, user=user)
    issued = None
    if request.method == "POST" and form.is_valid():
        issued = _issue(user, form.cleaned_data, now)
        form = KeyForm(user=user)
    context = {
        "keys": AccessKey.objects.of(user).prefetch_related("projects"),
        "form": form,
        "made": issued,
        "now": now,
        "api": request.build_absolute_uri(reverse("api:jobs")),
    }
    return render(request, "pages/account/keys.html", context, status=400 if form.errors else 200)


def _issue(user: User, fields: dict[str, Any], now: datetime) -> IssuedKey:
    key, secret, token = AccessKey.issue(
        user,
        now=now,
        name=fields["name"],
        expires_at=now + timedelta(days=fields["days"]),
        projects=None if fields["all_projects"] else fields["projects"],
    )
    return IssuedKey(key, secret, token)


@require_POST
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's own keys; it cannot be undone."""
    key = get_object_or_404(AccessKey.objects.of(signed_in(request)), pk=pk)
    if key.revoke(timezone.now()):
        messages.success(
            request, _("The key is revoked. Requests that use it are rejected from now on.")
        )
    return redirect("pages:keys")
