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

# One door for all of it, so that what is no address of GES gets a sentence too, never a redirect.
proxy_urlpatterns = [re_path(r"^(?:v1\.0|v2)/", Status.as_view(), name="proxy-status")]
