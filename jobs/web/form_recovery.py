"""A form survives the end of a session: the sign-in page carries it and the form shows it again."""

import json
from collections.abc import Callable
from typing import Any, TypedDict, override
from urllib.parse import urlsplit

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

MAX_FORM = 64_000  # characters of JSON; a form of people's own words is far shorter
_FORM_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}
_NEVER_KEPT = {"csrfmiddlewaretoken"}
_SESSION_KEY = "typed"


class _Form(TypedDict):
    """A form as its sender filled it in: the address it is sent to, and its fields."""

    to: str
    fields: dict[str, str]


class FormRecoveryMiddleware:
    """Answers a form that comes without a session with the sign-in page, which carries it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; which view it is shows only in `process_view`."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Render the sign-in page for a POST whose session has ended.

        No form behind the sign-in holds a password.
        """
        is_public = not getattr(view, "login_required", True)
        if request.method != "POST" or request.user.is_authenticated or is_public:
            return None
        form = _submitted_form(request)
        if form is None:
            return None
        context = {"next": _page_of_form(request), "typed": json.dumps(form)}
        return render(request, "registration/login.html", context, status=403)


def _submitted_form(request: HttpRequest) -> _Form | None:
    """The form of this request; None for anything else, or when it is too long to carry."""
    if request.content_type not in _FORM_TYPES:
        return None
    fields = {
        name: values[-1]
        for name, values in request.POST.lists()
        if name not in _NEVER_KEPT and values and "password" not in name
    }
    form: _Form = {"to": request.path, "fields": fields}
    return form if fields and len(json.dumps(form)) <= MAX_FORM else None


def _page_of_form(request: HttpRequest) -> str:
    """The page the form was filled in on, to return to; else the address it was sent to."""
    referer = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        referer, {request.get_host()}, require_https=request.is_secure()
    )
    if not is_ours:
        return request.get_full_path()
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


class SignIn(LoginView):
    """The sign-in of the pages; keeps the form it carries for the session that begins."""

    redirect_authenticated_user = True

    @override
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        carried = self.request.POST.get("typed", "")
        if len(carried) <= MAX_FORM and (recovered := _parse_form(carried)):
            self.request.session[_SESSION_KEY] = recovered
        return response

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # A wrong password must not lose the form.
        carried = self.request.POST.get("typed", "")[:MAX_FORM]
        return super().get_context_data(**kwargs) | {"typed": carried}


def _parse_form(text: str) -> _Form | None:
    """The form in this JSON; None when it is none, since the browser may send anything."""
    try:
        form = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(form, dict):
        return None
    address, fields = form.get("to"), form.get("fields")
    if not isinstance(address, str) or not isinstance(fields, dict):
        return None
    return {
        "to": address,
        "fields": {str(name): value for name, value in fields.items() if isinstance(value, str)},
    }


def recover_form(request: HttpRequest, action: str) -> dict[str, str]:
    """The fields of the form for this address that its sender had to sign in for; at most once.

    Removes it from the session.
    """
    form: _Form | None = request.session.get(_SESSION_KEY)
    if not form or form["to"] != action:
        return {}
    del request.session[_SESSION_KEY]
    return form["fields"]
