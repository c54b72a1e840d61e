"""Graphs as they were known at a moment, and which job was of which."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from jobs.as_of.jobs import jobs_as_of
from jobs.decisions.corrections import correct, revert
from jobs.decisions.graphs import correct_graph
from jobs.decisions.review import set_tolerance
from jobs.models import AuditCoverage, Graph, Job
from tests.as_of.test_jobs import at, signed_in, text
from tests.factories import NOW
from tests.imports import file, record_reply

__all__ = ["signed_in"]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lossy(project):
    job = record_reply(project, "j1", file("b/a.csv", 1, 99))
    Graph.objects.filter(pk=job.graph_id).update(name="oldname")
    return Job.objects.select_related("graph").get()


@pytest.fixture
def then(lossy, admin):
    """A moment after which the graph was renamed, called deleted, and its tolerance set."""
    moment = timezone.now()
    correct_graph(
        lossy.graph,
        field="name",
        corrected="newname",
        reason="renamed",
        actor=admin,
        now=timezone.now(),
    )
    correct_graph(
        lossy.graph,
        field="is_deleted",
        corrected="yes",
        reason="gone",
        actor=admin,
        now=timezone.now(),
    )
    set_tolerance(lossy.graph, "0.05", now=timezone.now())
    lossy.refresh_from_db()
    assert (lossy.review, lossy.graph.name, lossy.graph.is_deleted) == (
        "tolerated",
        "newname",
        True,
    )
    return moment


def exported(moment, err=None):
    out = StringIO()
    call_command(
        "export",
        "jobs",
        "--as-of",
        moment.isoformat(),
        stdout=out,
        stderr=err if err is not None else StringIO(),
    )
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_graph_has_its_name_mark_and_tolerance_of_then(then, lossy):
    known = jobs_as_of([lossy], then)[lossy.pk].job
    assert (known.graph.name, known.graph.is_deleted, known.graph.tolerated_loss) == (
        "oldname",
        False,
        None,
    )
    assert known.review == "waiting"
    now = jobs_as_of([lossy], timezone.now())[lossy.pk].job
    assert (now.graph.name, now.graph.is_deleted, now.review) == ("newname", True, "tolerated")
    lossy.refresh_from_db()
    assert lossy.graph.name == "newname"


def test_a_tolerance_of_then_counts_though_it_was_taken_away_since(then, lossy):
    moment = timezone.now()
    set_tolerance(lossy.graph, None, now=timezone.now())
    lossy.refresh_from_db()
    assert lossy.review == "waiting"
    assert jobs_as_of([lossy], moment)[lossy.pk].job.review == "tolerated"


def test_pages_and_export_name_the_graph_as_then(then, lossy, signed_in):
    asked = {"as_of": then.isoformat()}
    for address in (f"/jobs/{lossy.pk}/", f"/graphs/{lossy.graph_id}/", "/"):
        shown = text(signed_in.get(address, asked))
        assert "oldname" in shown
        assert "newname" not in shown
        assert "deleted in GES" not in shown
        assert "are the earliest recorded" not in shown  # what was then is noted
    assert [row["graph_name"] for row in exported(then)] == ["oldname"]


@pytest.fixture
def audited(db):
    """Changes of graphs are in the audit log since today."""
    since = timezone.now() - MINUTE
    AuditCoverage.objects.update_or_create(what="graph", defaults={"since": since})


def test_start_of_the_graph_history_is_reported(lossy, audited, signed_in):
    for address in (f"/jobs/{lossy.pk}/", f"/graphs/{lossy.graph_id}/", "/"):
        assert "Graph changes have been recorded since 20" in text(
            signed_in.get(address, {"as_of": at(1)})
        )


def test_jobs_known_by_a_graph_name_alone_are_reported(lossy, project, signed_in):
    said = "At that time, jobs of payments may have been known only by the graph’s name"
    assert said not in text(signed_in.get(f"/jobs/{lossy.pk}/", {"as_of": at(1)}))
    Graph.objects.create(project=project, name="payments")
    assert said in text(signed_in.get(f"/jobs/{lossy.pk}/", {"as_of": at(1)}))


@pytest.fixture
def moved(lossy, project, admin):
    """Moved to another graph at 12:10, back at 12:20; hidden at 12:30."""
    other = Graph.objects.create(project=project, graph_id="g2", name="other")
    common = {"kind": "", "position": None, "reason": "wrong graph", "actor": admin}
    one = correct(lossy, field="graph", corrected=str(other.pk), now=NOW + 10 * MINUTE, **common)
    revert(one, reason="right after all", actor=admin, now=NOW + 20 * MINUTE)
    correct(lossy, field="is_hidden", corrected="yes", now=NOW + 30 * MINUTE, **common)
    return Job.objects.select_related("graph").get()


@pytest.mark.parametrize(
    ("minutes", "graph", "hidden"),
    [
        (5, "id-of-payments", False),
        (15, "g2", False),
        (25, "id-of-payments", False),
        (35, "id-of-payments", True),
    ],
)
def test_a_job_is_of_the_graph_it_was_of_then(moved, minutes, graph, hidden, signed_in, lossy):
    job = jobs_as_of([moved], NOW + minutes * MINUTE)[moved.pk].job
    assert (job.graph.graph_id, job.is_hidden) == (graph, hidden)
    for one in Graph.objects.all():
        listed = (
            f'href="/jobs/{moved.pk}/'
            in signed_in.get(f"/graphs/{one.pk}/", {"as_of": at(minutes)}).content.decode()
        )
        assert listed == (one.graph_id == graph), one
    shown = text(signed_in.get("/", {"as_of": at(minutes)}))
    assert ("Failed lines 1" in shown) != hidden


def test_a_moved_job_is_hidden_from_no_graph_of_today(moved, lossy, project, admin):
    now = jobs_as_of([moved], NOW + 99 * MINUTE)[moved.pk].job
    assert (now.graph_id, now.is_hidden) == (moved.graph_id, True)


def test_corrections_stand_beside_their_values_of_then(lossy, admin):
    place = {
        "kind": "vertex",
        "position": 0,
        "field": "failed_lines",
        "corrected": "2",
        "reason": "counted",
        "actor": admin,
    }
    correct(lossy, **place, now=NOW + 10 * MINUTE)
    assert exported(NOW + 5 * MINUTE)[0]["files"][0]["corrections"] == []
    [row] = exported(NOW + 15 * MINUTE)
    [said] = row["files"][0]["corrections"]
    assert (row["files"][0]["failed_lines"], said["observed"], said["corrected"], said["flag"]) == (
        2,
        "1",
        "2",
        None,
    )


def test_an_export_warns_before_graph_changes_were_recorded(lossy, audited):
    err = StringIO()
    assert exported(NOW, err)
    assert "Graph changes have been recorded since 20" in err.getvalue()
    err = StringIO()
    assert exported(timezone.now(), err)
    assert err.getvalue() == ""
