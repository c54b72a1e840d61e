"""Who says what retention may remove, and who holds a job as evidence."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from jobs.models import AuditEntry, Hold, Membership, Project
from tests.imports import record_reply


@pytest.fixture
def sign_in(client, project):
    def as_(role):
        user = User.objects.create_user(role, is_staff=True)
        user.user_permissions.set(Permission.objects.all())
        Membership.objects.create(project=project, user=user, role=role)
        client.force_login(user)
        return client

    return as_


def hold(client, job):
    return client.post(reverse("admin:jobs_hold_add"), {"job": job.pk, "reason": "asked for"})


def test_a_reviewer_holds_and_releases_a_job(sign_in, project):
    client, job = sign_in("reviewer"), record_reply(project, "j1")
    assert hold(client, job).status_code == 302
    made = Hold.objects.get()
    assert (made.job, made.reason, made.actor.username) == (job, "asked for", "reviewer")
    client.post(reverse("admin:jobs_hold_delete", args=[made.pk]), {"post": "yes"})
    assert not Hold.objects.exists()


def test_a_viewer_cannot_hold_or_release(sign_in, project, admin):
    client, job = sign_in("viewer"), record_reply(project, "j1")
    assert "Select a valid choice" in hold(client, job).content.decode()
    made = Hold.objects.create(job=job, reason="r", actor=admin, made_at=job.first_seen_at)
    assert (
        client.post(reverse("admin:jobs_hold_delete", args=[made.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert Hold.objects.exists()


def test_a_job_of_another_project_cannot_be_held(sign_in, project):
    other = record_reply(Project.objects.create(project_id="p2"), "j1")
    assert "Select a valid choice" in hold(sign_in("reviewer"), other).content.decode()


@pytest.mark.parametrize("is_administrator", [True, False])
def test_an_administrator_sets_the_retention(client, sign_in, project, admin, is_administrator):
    if is_administrator:
        client.force_login(admin)
    else:
        client = sign_in("owner")
    form = {
        "name": "n",
        "keeps": "changes",
        "keep_days": 7,
        "membership_set-TOTAL_FORMS": 0,
        "membership_set-INITIAL_FORMS": 0,
    }
    assert (
        client.post(reverse("admin:jobs_project_change", args=[project.pk]), form).status_code
        == 302
    )
    project.refresh_from_db()
    assert (project.name, project.keeps, project.keep_days) == (
        "n",
        *(("changes", 7) if is_administrator else ("all", 90)),
    )


def test_the_audit_log_has_retention_and_holds(client, admin, project):
    client.force_login(admin)
    job = record_reply(project, "j1")
    form = {
        "name": "",
        "keeps": "ends",
        "keep_days": 7,
        "membership_set-TOTAL_FORMS": 0,
        "membership_set-INITIAL_FORMS": 0,
    }
    client.post(reverse("admin:jobs_project_change", args=[project.pk]), form)
    hold(client, job)
    client.post(reverse("admin:jobs_hold_delete", args=[Hold.objects.get().pk]), {"post": "yes"})
    rows = AuditEntry.objects.filter(
        what__in=["project", "hold"], deed__in=["changed", "made", "deleted"]
    ).order_by("pk")
    assert [(row.what, row.deed, row.actor) for row in rows][-3:] == [
        ("project", "changed", "ada"),
        ("hold", "made", "ada"),
        ("hold", "deleted", "ada"),
    ]
    assert (
        rows.get(what="project", deed="changed").after["keeps"],
        rows.get(deed="deleted").job_id,
    ) == ("ends", job.pk)
