"""Addresses of the API and of the proxy."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from jobs.api import resources
from jobs.api.proxy import Status

app_name = "api"
urlpatterns = [
    path("", login_not_required(resources.root), name="root"),
    path("jobs/", login_not_required(resources.jobs), name="jobs"),
    path("jobs/<int:pk>/", login_not_required(resources.job), name="job"),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
]

# Ids are taken as they come, so that a wrong one gets a sentence instead of "not found".
proxy_urlpatterns = [
    re_path(
        r"^(?P<version>v1\.0|v2)/(?P<project_id>[^/]+)/graphs/(?P<graph_id>[^/]+)/jobs/(?P<job_id>.+)/status$",
        Status.as_view(),
        name="proxy-status",
    ),
]
