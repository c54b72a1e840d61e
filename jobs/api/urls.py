"""Addresses of the API and of the proxy."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from jobs.api import decisions, lists, resources
from jobs.api.metrics import Metrics
from jobs.api.proxy.view import Status


def _door(view: Any) -> Any:
    """For programs: no sign-in page, an ETag on every answer, kept by nobody else's cache."""
    return login_not_required(conditional_page(cache_control(private=True, no_cache=True)(view)))


app_name = "api"
urlpatterns = [
    path("", _door(resources.root), name="root"),
    path("projects/", _door(lists.Projects.as_view()), name="projects"),
    path("projects/<int:pk>/", _door(lists.OneProject.as_view()), name="project"),
    path("graphs/", _door(lists.Graphs.as_view()), name="graphs"),
    path("graphs/<int:pk>/", _door(lists.OneGraph.as_view()), name="graph"),
    path("jobs/", _door(resources.jobs), name="jobs"),
    path("jobs/<int:pk>/", _door(resources.job), name="job"),
    path("jobs/<int:pk>/files/", _door(lists.Files.as_view()), name="files"),
    path("jobs/<int:pk>/snapshots/", _door(lists.Snapshots.as_view()), name="snapshots"),
    path("jobs/<int:pk>/misses/", _door(lists.Misses.as_view()), name="misses"),
    path("jobs/<int:pk>/reviews/", _door(decisions.JobReviews.as_view()), name="reviews"),
    path(
        "jobs/<int:pk>/corrections/", _door(decisions.JobCorrections.as_view()), name="corrections"
    ),
    path("corrections/<int:pk>/undo/", _door(decisions.Undo.as_view()), name="undo"),
    path("snapshots/<int:pk>/", _door(lists.OneSnapshot.as_view()), name="snapshot"),
    path("snapshots/<int:pk>/body/", _door(lists.SnapshotBody.as_view()), name="snapshot-body"),
    path("causes/", _door(lists.Causes.as_view()), name="causes"),
    path("keys/", _door(lists.Keys.as_view()), name="keys"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]

# One door for all of it, so that what is no address of GES gets a sentence too, never a redirect.
proxy_urlpatterns = [re_path(r"^(?:v1\.0|v2)/", Status.as_view(), name="proxy-status")]
metrics_urlpatterns = [path("metrics", Metrics.as_view(), name="metrics")]
