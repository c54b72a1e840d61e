"""`/metrics`: who may scrape it, and for which projects."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any, override

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from prometheus_client.exposition import choose_encoder
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from jobs.api.authentication import KeyAuthentication, key_for_token, limited_to
from jobs.models import AccessKey, Project
from jobs.polling.health import polling_health, projects_for
from jobs.polling.prometheus import registry

SCRAPER = "scraper"  # the caller with the token of the settings


class ScraperAuthentication(BaseAuthentication):
    """A token as Prometheus shows one: as bearer, or as the password beside any name.

    It is that of the settings, or of an access key.
    """

    @override
    def authenticate(self, request: Request) -> tuple[User | None, AccessKey | str] | None:
        token = _token(request.headers.get("Authorization", ""))
        if not token:
            return None
        if settings.METRICS_TOKEN and constant_time_compare(token, settings.METRICS_TOKEN):
            return None, SCRAPER
        key = key_for_token(token)
        return limited_to(key, key.user), key

    @override
    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="gesdash"'


def _token(authorization: str) -> str:
    kind, _blank, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError) as error:
        raise AuthenticationFailed(
            "The Authorization header can't be read; expected Basic with a name and a token."
        ) from error


class MayScrape(BasePermission):
    """Callers with a token and signed-in staff; nobody else, even if they may see a project."""

    @override
    def has_permission(self, request: Request, view: Any) -> bool:
        return request.auth is not None or bool(request.user and request.user.is_staff)


class Negotiation(BaseContentNegotiation):
    """Prometheus's own rules choose the format of metrics, in the view; an error is always JSON."""

    @override
    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return None

    @override
    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


@method_decorator(login_not_required, name="dispatch")
class Metrics(APIView):
    """The metrics of the caller's projects, in the format of Prometheus or OpenMetrics."""

    authentication_classes = [ScraperAuthentication, KeyAuthentication, SessionAuthentication]
    permission_classes = [MayScrape]
    content_negotiation_class = Negotiation
    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """All metrics of the caller's projects."""
        projects = Project.objects.all() if request.auth == SCRAPER else projects_for(request.user)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = HttpResponse(
            encode(registry(polling_health(projects, timezone.now()))), content_type=content_type
        )
        response.headers["Cache-Control"] = "no-store"
        return response
