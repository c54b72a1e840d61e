"""What was typed survives the end of a session: it goes with the sign-in, and stands in the form again after it."""

import json
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

MOST = 64_000  # characters of JSON; a form of people's own words is far shorter
_NEVER = {"csrfmiddlewaretoken"}
_SESSION = "typed"


class TypedMiddleware:
    """A form that comes without a session is answered by the sign-in, which carries what was in it."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing here: which view it is, is known later."""
        response: HttpResponse = self.get_response(request)
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """The sign-in, for a POST of somebody whose session has ended; passwords are in no form that needs a session."""
        if (
            request.method != "POST"
            or request.user.is_authenticated
            or not getattr(view, "login_required", True)
        ):
            return None
        typed = typed_of(request)
        if typed is None:
            return None
        context = {"next": typed["page"], "typed": json.dumps(typed)}
        return render(request, "registration/login.html", context, status=403)


def typed_of(request: HttpRequest) -> dict[str, Any] | None:
    """Where it was sent, the page it was typed on, and the fields; None for what is no form of ours, or too long."""
    if request.content_type not in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return None
    came_from = request.headers.get("Referer", "")
    fits = url_has_allowed_host_and_scheme(
        came_from, {request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(came_from)
    page = (
        f"{parts.path}?{parts.query}"
        if fits and parts.query
        else parts.path
        if fits
        else request.get_full_path()
    )
    fields = {
        name: values[-1]
        for name, values in request.POST.lists()
        if name not in _NEVER and values and "password" not in name
    }
    typed = {"to": request.path, "page": page, "fields": fields}
    return typed if fields and len(json.dumps(typed)) <= MOST else None


class SignIn(LoginView):
    """The sign-in of the pages."""

    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep what was typed before, for the form it was typed in."""
        response = super().form_valid(form)
        if len(given := self.request.POST.get("typed", "")) <= MOST and (typed := _read(given)):
            self.request.session[_SESSION] = typed
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A wrong password loses nothing either."""
        return super().get_context_data(**kwargs) | {
            "typed": self.request.POST.get("typed", "")[:MOST]
        }


def _read(text: str) -> dict[str, Any] | None:
    try:
        typed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(typed, dict)
        or not isinstance(typed.get("to"), str)
        or not isinstance(typed.get("fields"), dict)
    ):
        return None
    fields = {str(name): value for name, value in typed["fields"].items() if isinstance(value, str)}
    return {"to": typed["to"], "fields": fields}


def take_typed(request: HttpRequest, to: str) -> dict[str, str]:
    """What was typed into the form that is sent there, before its sender had to sign in again; once."""
    typed = request.session.get(_SESSION)
    if not typed or typed["to"] != to:
        return {}
    del request.session[_SESSION]
    fields: dict[str, str] = typed["fields"]
    return fields
