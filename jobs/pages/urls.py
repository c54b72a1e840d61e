"""Addresses of the pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from jobs.pages import health, job, keys, lists, overview

app_name = "pages"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("graphs/", lists.graphs, name="graphs"),
    path("graphs/<int:pk>/", lists.graph, name="graph"),
    path("graphs/<int:pk>/watch/", lists.watch_job, name="watch-job"),
    path("jobs/", lists.jobs, name="jobs"),
    path("jobs/<int:pk>/", job.job, name="job"),
    path("jobs/<int:pk>/poll/", job.poll_now, name="poll-now"),
    path("jobs/<int:pk>/snapshots/<int:snapshot_pk>/", job.snapshot, name="snapshot"),
    path("jobs/<int:pk>/corrections/<int:correction_pk>/undo/", job.undo_correction, name="undo-correction"),
    path("me/keys/", keys.keys, name="keys"),
    path("me/keys/<int:pk>/revoke/", keys.revoke_key, name="revoke-key"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

auth_urlpatterns = [
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
