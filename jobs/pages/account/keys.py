"""`/me/keys/`: one's own keys for programs. The secret is shown once, on the answer to the form that made it."""

from datetime import timedelta
from typing import Any

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
    """What a new key is for, what it sees, and for how long."""

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
        theirs = Project.objects.visible_to(user)
        self.fields["projects"].queryset = theirs  # type: ignore[attr-defined]
        if len(only := theirs[:2]) == 1:
            self.fields["projects"].initial = [only[0].pk]

    def clean(self) -> dict[str, Any]:
        """One of the two: all, or some."""
        data = super().clean() or {}
        if bool(data.get("all_projects")) == bool(data.get("projects")):
            raise forms.ValidationError(_("Select either all projects or at least one project."))
        return data


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    """The list, and a form for a new one."""
    user = signed_in(request)
    form = KeyForm(request.POST or None, user=user)
    made = None
    if request.method == "POST" and form.is_valid():
        now, asked = timezone.now(), form.cleaned_data
        key, secret, token = AccessKey.issue(
            user,
            now=now,
            name=asked["name"],
            expires_at=now + timedelta(days=asked["days"]),
            projects=None if asked["all_projects"] else asked["projects"],
        )
        made, form = {"key": key, "secret": secret, "token": token}, KeyForm(user=user)
    found = AccessKey.objects.of(user).prefetch_related("projects")
    api = request.build_absolute_uri(reverse("api:jobs"))
    context = {"keys": found, "form": form, "made": made, "now": timezone.now(), "api": api}
    return render(request, "pages/account/keys.html", context, status=400 if form.errors else 200)


@require_POST
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own key away for good."""
    key = get_object_or_404(AccessKey.objects.of(signed_in(request)), pk=pk)
    if key.revoke(timezone.now()):
        messages.success(
            request, _("The key is revoked. Requests that use it are rejected from now on.")
        )
    return redirect("pages:keys")
