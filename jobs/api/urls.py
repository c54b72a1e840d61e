"""Addresses of the API, of the proxy and of the metrics."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.viewsets import GenericViewSet

from jobs.api import decisions, lists, resources
from jobs.api.metrics import Metrics
from jobs.api.proxy.view import Status


def _for_programs(view: Any) -> Any:
    """No sign-in page, an ETag on every response, and no shared cache keeps one."""
    return login_not_required(conditional_page(cache_control(private=True, no_cache=True)(view)))


def _list(view_set: type[GenericViewSet[Any]]) -> Any:
    return _for_programs(view_set.as_view({"get": "list"}))


def _list_and_create(view_set: type[GenericViewSet[Any]]) -> Any:
    return _for_programs(view_set.as_view({"get": "list", "post": "create"}))


def _row(view_set: type[GenericViewSet[Any]], action: str = "retrieve") -> Any:
    return _for_programs(view_set.as_view({"get": action}))


app_name = "api"
urlpatterns = [
    path("", _for_programs(resources.root), name="root"),
    path("projects/", _list(lists.Projects), name="projects"),
    path("projects/<int:pk>/", _row(lists.Projects), name="project"),
    path("graphs/", _list(lists.Graphs), name="graphs"),
    path("graphs/<int:pk>/", _row(lists.Graphs), name="graph"),
    path("jobs/", _for_programs(resources.list_jobs), name="jobs"),
    path("jobs/<int:pk>/", _for_programs(resources.retrieve_job), name="job"),
    path("jobs/<int:pk>/files/", _list(lists.Files), name="files"),
    path("jobs/<int:pk>/snapshots/", _list(lists.Snapshots), name="snapshots"),
    path("jobs/<int:pk>/misses/", _list(lists.Misses), name="misses"),
    path("jobs/<int:pk>/reviews/", _list_and_create(decisions.Reviews), name="reviews"),
    path("jobs/<int:pk>/corrections/", _list_and_create(decisions.Corrections), name="corrections"),
    path("corrections/<int:pk>/undo/", _for_programs(decisions.Undo.as_view()), name="undo"),
    path("snapshots/<int:pk>/", _row(lists.OneSnapshot), name="snapshot"),
    path("snapshots/<int:pk>/body/", _row(lists.OneSnapshot, "body"), name="snapshot-body"),
    path("causes/", _list(lists.Causes), name="causes"),
    path("keys/", _list(lists.Keys), name="keys"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]

# One view for all of it, so that an address which is none of GES gets a sentence, never a redirect.
proxy_urlpatterns = [re_path(r"^(?:v1\.0|v2)/", Status.as_view(), name="proxy-status")]
metrics_urlpatterns = [path("metrics", Metrics.as_view(), name="metrics")]
