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
from tests.conftest import NOW
from tests.imports import record_reply
from tests.markup import one_line
from tests.proof.test_verify import tamper


@pytest.fixture
def viewer(client, project):
    user = User.objects.create_user("vera")
    user.ges_projects.add(project)
    client.force_login(user)
    return client


def page(client):
    return one_line(client.get("/proof/").content)


def test_a_project_before_its_first_checkpoint_and_verification(viewer, project):
    record_reply(project, "j1")
    page_text = page(viewer)
    assert "None yet. The worker creates one for each hour" in page_text
    assert "<dt>Not yet in a checkpoint</dt><dd>1 response</dd>" in page_text
    assert "<dt>Last verified</dt><dd>Never</dd>" in page_text


def test_the_newest_checkpoint_the_uncovered_responses_and_the_last_verification(viewer, project):
    record_reply(project, "j1")
    tasks.seal(timestamp=7)
    record_reply(project, "j2")
    call_command("verify", stdout=io.StringIO())
    page_text = page(viewer)
    assert "1 job, 1 response" in page_text
    assert "<dt>Not yet in a checkpoint</dt><dd>1 response</dd>" in page_text
    assert bytes(Checkpoint.objects.get().root).hex() in page_text
    assert "no problems found" in page_text


def test_problems_found_by_a_verification_are_shown(viewer, project):
    job = record_reply(project, "j1")
    tamper("UPDATE jobs_snapshot SET http_status = 201")
    with pytest.raises(SystemExit):
        call_command("verify", stdout=io.StringIO())
    page_text = page(viewer)
    assert "1 problem" in page_text
    assert f"Project p1, job j1, response {job.snapshots.get().pk}: its link is" in page_text


def test_above_the_counting_limit_it_says_at_least(viewer, project, monkeypatch):
    monkeypatch.setattr(state, "COUNTED", 2)
    for number in range(4):
        record_reply(project, f"j{number}")
    assert "at least 2 responses" in page(viewer)


def test_the_file_is_the_checkpoint(viewer, project):
    record_reply(project, "j1")
    checkpoint = seal(project, now=NOW)
    answer = viewer.get(f"/proof/{project.pk}/checkpoints/1/")
    assert json.loads(answer.content) == as_file(checkpoint)
    assert answer["Content-Disposition"].startswith("attachment")
    assert viewer.get(f"/proof/{project.pk}/checkpoints/2/").status_code == 404


def test_the_proof_of_another_project_is_not_visible(viewer, project):
    other = Project.objects.create(project_id="other")
    record_reply(other, "j1")
    seal(other, now=NOW)
    assert "other" not in page(viewer)
    assert viewer.get(f"/proof/{other.pk}/checkpoints/1/").status_code == 404


def test_the_queries_do_not_grow_with_the_projects(viewer, project, django_assert_max_num_queries):
    user = User.objects.get(username="vera")
    for number in range(5):
        another = Project.objects.create(project_id=f"more {number}")
        user.ges_projects.add(another)
        record_reply(another, "j1")
        seal(another, now=NOW)
    with django_assert_max_num_queries(8):
        page(viewer)
