"""The addresses of the pages."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from jobs.pages import causes, evidence, files, graphs, jobs, saved_views
from jobs.pages.account import keys, preferences
from jobs.pages.job import actions, comparison, history, repair, review, snapshot
from jobs.pages.job import page as job_page
from jobs.pages.operate import audit, health, proof, status
from jobs.pages.overview import page as overview_page
from jobs.pages.project import page as project_page
from jobs.pages.project import retention
from jobs.web.form_recovery import SignIn

app_name = "pages"
urlpatterns = [
    path("", overview_page.overview, name="overview"),
    path("graphs/", graphs.graphs, name="graphs"),
    path("graphs/<int:pk>/", graphs.graph, name="graph"),
    path("graphs/<int:pk>/watch/", graphs.watch_job, name="watch-job"),
    path("graphs/<int:pk>/tolerance/", graphs.set_tolerance, name="set-tolerance"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/news/", jobs.news, name="jobs-news"),
    path("jobs/views/", saved_views.save_view, name="save-view"),
    path("jobs/views/<int:pk>/delete/", saved_views.delete_view, name="delete-view"),
    path("jobs/views/<int:pk>/count/", saved_views.view_count, name="view-count"),
    path("jobs/<int:pk>/", job_page.job, name="job"),
    path("jobs/<int:pk>/compare/", comparison.compare_with, name="compare"),
    path("jobs/<int:pk>/repair/", repair.repair, name="repair"),
    path("jobs/<int:pk>/history/", history.history, name="history"),
    path("jobs/<int:pk>/evidence/", evidence.of_job, name="job-evidence"),
    path("jobs/evidence/", evidence.of_list, name="list-evidence"),
    path("jobs/<int:pk>/review/", review.decide, name="decide"),
    path("jobs/<int:pk>/later/", review.later, name="later"),
    path("jobs/<int:pk>/poll/", actions.poll_now, name="poll-now"),
    path("jobs/<int:pk>/snapshots/<int:snapshot_pk>/", snapshot.snapshot, name="snapshot"),
    path(
        "jobs/<int:pk>/corrections/<int:correction_pk>/undo/",
        actions.undo_correction,
        name="undo-correction",
    ),
    path("causes/", causes.causes, name="causes"),
    path("causes/<int:pk>/", causes.cause, name="cause"),
    path("causes/<int:pk>/note/", causes.note, name="note"),
    path("files/", files.files, name="files"),
    path("proof/", proof.proof, name="proof"),
    path("proof/<int:pk>/checkpoints/<int:number>/", proof.checkpoint, name="checkpoint"),
    path("projects/<int:pk>/", project_page.project, name="project"),
    path("projects/<int:pk>/members/", project_page.set_member, name="set-member"),
    path("projects/<int:pk>/retention/", retention.set_retention, name="set-retention"),
    path(
        "projects/<int:pk>/keys/<int:key_pk>/shut-out/",
        project_page.shut_out_key,
        name="shut-out-key",
    ),
    path("audit/", audit.audit, name="audit"),
    path("audit/export/", audit.export, name="export-audit"),
    path("status/", status.status, name="status"),
    path("me/", preferences.preferences, name="preferences"),
    path("me/keys/", keys.keys, name="keys"),
    path("me/keys/<int:pk>/revoke/", keys.revoke_key, name="revoke-key"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

auth_urlpatterns = [
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", login_not_required(set_language), name="set_language"),
]
