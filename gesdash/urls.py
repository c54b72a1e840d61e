"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path

from jobs.api.urls import metrics_urlpatterns, proxy_urlpatterns
from jobs.pages.urls import auth_urlpatterns

handler400 = "jobs.api.handling.bad_request"
handler404 = "jobs.api.handling.not_found"
handler500 = "jobs.api.handling.server_error"

urlpatterns = [
    *proxy_urlpatterns,
    *metrics_urlpatterns,
    *auth_urlpatterns,
    path("admin/", admin.site.urls),
    path("api/", include("jobs.api.urls")),
    path("", include("jobs.pages.urls")),
]
