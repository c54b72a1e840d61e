"""Addresses of the site."""

from django.contrib import admin
from django.urls import include, path

from jobs.api.urls import proxy_urlpatterns
from jobs.pages.urls import auth_urlpatterns

urlpatterns = [
    *proxy_urlpatterns,
    *auth_urlpatterns,
    path("admin/", admin.site.urls),
    path("api/", include("jobs.api.urls")),
    path("", include("jobs.pages.urls")),
]
