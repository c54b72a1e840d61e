"""`/metrics`: who may scrape it, and for which projects."""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
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

from jobs.api.authentication import KeyAuthentication
from jobs.models import AccessKey, Project
from jobs.polling.health import polling_health, projects_for
from jobs.polling.prometheus import registry

SCRAPER = "scraper"  # who shows the token of the settings


class ScraperAuthentication(BaseAuthentication):
    """A token as Prometheus shows one: as bearer, or as the password beside any name; of the settings, or of an access key."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """None when nothing of the kind is shown."""
        token = _token(request.headers.get("Authorization", ""))
        if not token:
            return None
        if settings.METRICS_TOKEN and constant_time_compare(token, settings.METRICS_TOKEN):
            return None, SCRAPER
        key = AccessKey.objects.for_token(token, timezone.now())
        if key is None:
            raise AuthenticationFailed("This token is not valid, or no longer.")
        key.user.access_key = key  # type: ignore[attr-defined]
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """So that what is missing is a 401."""
        return 'Bearer realm="gesdash"'


def _token(shown: str) -> str:
    kind, _blank, value = shown.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError) as wrong:
        raise AuthenticationFailed(
            "The Authorization header can't be read; expected Basic with a name and a token."
        ) from wrong


class MayScrape(BasePermission):
    """Whoever shows a token, and staff that is signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Others are refused, even where they may see a project."""
        return request.auth is not None or bool(request.user and request.user.is_staff)


class Negotiation(BaseContentNegotiation):
    """The format is chosen by Prometheus's own rules, below; an error goes out as JSON to whoever asks."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Nothing is sent."""
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""


@method_decorator(login_not_required, name="dispatch")
class Metrics(APIView):
    """The metrics in Prometheus's or OpenMetrics' format, of the projects that the scraper may see."""

    authentication_classes = [ScraperAuthentication, KeyAuthentication, SessionAuthentication]
    permission_classes = [MayScrape]
    content_negotiation_class = Negotiation
    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """All of it."""
        projects = Project.objects.all() if request.auth == SCRAPER else projects_for(request.user)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = HttpResponse(
            encode(registry(polling_health(projects, timezone.now()))), content_type=content_type
        )
        response.headers["Cache-Control"] = "no-store"
        return response
