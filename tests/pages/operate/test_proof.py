"""The page of checkpoints and verifications."""

import io
import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from jobs import tasks
from jobs.models import Checkpoint, Project
from jobs.proof import state
from jobs.proof.kept_checkpoint import as_file
from jobs.proof.seal import seal
from tests.factories import NOW
from tests.imports import tell
from tests.proof.test_verify import tamper


@pytest.fixture
def viewer(client, project):
    user = User.objects.create_user("vera")
    user.ges_projects.add(project)
    client.force_login(user)
    return client


def page(client):
    return " ".join(client.get("/proof/").content.decode().split())


def test_before_anything_is_sealed_or_verified(viewer, project):
    tell(project, "j1")
    shown = page(viewer)
    assert "none yet: the worker makes one each hour" in shown
    assert "<dt>Not sealed yet</dt><dd>1 reply</dd>" in shown
    assert "<dt>Last verified</dt><dd>never</dd>" in shown


def test_the_newest_checkpoint_what_is_open_and_the_last_verification(viewer, project):
    tell(project, "j1")
    tasks.seal(timestamp=7)
    tell(project, "j2")
    call_command("verify", stdout=io.StringIO())
    shown = page(viewer)
    assert "1 job, 1 reply" in shown
    assert "<dt>Not sealed yet</dt><dd>1 reply</dd>" in shown
    assert bytes(Checkpoint.objects.get().root).hex() in shown
    assert "nothing wrong was found" in shown


def test_what_did_not_fit_is_shown(viewer, project):
    job = tell(project, "j1")
    tamper("UPDATE jobs_snapshot SET http_status = 201")
    with pytest.raises(SystemExit):
        call_command("verify", stdout=io.StringIO())
    shown = page(viewer)
    assert "1 fault" in shown
    assert f"Project p1, job j1, reply {job.snapshots.get().pk}: its link is" in shown


def test_more_than_is_counted_says_at_least(viewer, project, monkeypatch):
    monkeypatch.setattr(state, "COUNTED", 2)
    for number in range(4):
        tell(project, f"j{number}")
    assert "at least 2 replies" in page(viewer)


def test_the_file_is_the_checkpoint(viewer, project):
    tell(project, "j1")
    made = seal(project, now=NOW)
    answer = viewer.get(f"/proof/{project.pk}/checkpoints/1/")
    assert json.loads(answer.content) == as_file(made)
    assert answer["Content-Disposition"].startswith("attachment")
    assert viewer.get(f"/proof/{project.pk}/checkpoints/2/").status_code == 404


def test_another_projects_proof_is_not_seen(viewer, project):
    other = Project.objects.create(project_id="other")
    tell(other, "j1")
    seal(other, now=NOW)
    assert "other" not in page(viewer)
    assert viewer.get(f"/proof/{other.pk}/checkpoints/1/").status_code == 404


def test_the_queries_do_not_grow_with_the_projects(viewer, project, django_assert_max_num_queries):
    user = User.objects.get(username="vera")
    for number in range(5):
        one = Project.objects.create(project_id=f"more {number}")
        user.ges_projects.add(one)
        tell(one, "j1")
        seal(one, now=NOW)
    with django_assert_max_num_queries(8):
        page(viewer)
