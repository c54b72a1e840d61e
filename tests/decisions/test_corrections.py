"""Observed beside corrected: what a person says stands over what GES says, on every page, in the API and in exports."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from jobs.decisions.corrections import NewCorrection, correct, correct_all, revert, revert_all
from jobs.decisions.graphs import correct_graph, merge_graphs, split_graph
from jobs.diagnosis.corrections import standing
from jobs.models import AuditEntry, Correction, Graph, Job
from jobs.record import find_graph, find_jobs, rebuild, record
from jobs.record.graphs import note_beside_correction
from tests.factories import NOW
from tests.imports import file, record_reply, reply_body

LATER = NOW + timedelta(hours=1)


def exported(*arguments):
    out = io.StringIO()
    call_command("export", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def fix(admin):
    def fixing(job, field, corrected, kind="", position=None, reason="counted by hand", now=NOW):
        return correct(
            job,
            kind=kind,
            position=position,
            field=field,
            corrected=corrected,
            reason=reason,
            actor=admin,
            now=now,
        )

    return fixing


@pytest.mark.parametrize(
    ("newest", "flag"),
    [("450", ""), ("5", "needless"), ("7", "contradicted"), (None, "contradicted")],
)
def test_what_a_newer_reply_makes_of_a_correction(newest, flag):
    assert standing("450", newest, "5") == flag


def lossy(project, failed, at=NOW, **fields):
    return record_reply(project, "j1", file("b/v.csv", failed, loaded=90), at=at, **fields)


def test_a_new_reply_moves_the_observed_side_and_flags_the_correction(project, fix):
    job = lossy(project, 10)
    made = fix(job, "failed_lines", "4", "vertex", 0)
    assert (made.observed, made.newest, made.flag) == ("10", "10", "")
    for failed, flag, hours in ((7, "contradicted", 1), (4, "needless", 2), (10, "", 3)):
        job = lossy(project, failed, at=NOW + timedelta(hours=hours))
        made.refresh_from_db()
        assert (made.observed, made.newest, made.flag) == ("10", str(failed), flag)
        assert job.files.get().failed_lines == 4
    rebuild([job])
    assert Correction.objects.get() == made


def test_time_in_another_notation_is_the_same_time(project, fix):
    job = record_reply(project, "j1", begin=NOW)
    made = fix(job, "end_time", "2026-03-04T15:00:00+01:00")
    assert made.corrected == "2026-03-04T14:00:00+00:00"
    record_reply(project, "j1", at=LATER, begin=NOW, took=timedelta(hours=2))
    made.refresh_from_db()
    assert made.flag == "needless"


def test_totals_verdict_loss_and_ledger_follow_a_correction(project, fix):
    job = lossy(project, 10)
    fix(job, "failed_lines", "0", "vertex", 0)
    assert (job.failed_lines, job.loss_rate, job.ledger) == (0, 0, "does_not_add_up")
    fix(job, "status", "success", "vertex", 0)
    fix(job, "total_lines", "90", "vertex", 0)
    job.refresh_from_db()
    assert (job.verdict, job.ledger, job.total_lines) == ("success", "adds_up", 90)


def test_a_set_verdict_stands_over_every_reply_until_it_is_undone(project, fix, admin):
    job = lossy(project, 10)
    made = fix(job, "verdict", "success")
    assert (job.verdict, job.review, made.observed) == ("success", "", "partial")
    job = lossy(project, 11, at=LATER)
    assert job.verdict == "success"
    rebuild([job])
    job.refresh_from_db()
    assert job.verdict == "success"
    revert(made, reason="seen again", actor=admin, now=LATER)
    job.refresh_from_db()
    assert (job.verdict, job.review) == ("partial", "waiting")


def test_job_without_a_reply_gets_a_verdict_too(project, fix, admin):
    job = find_jobs(project, [(find_graph(project, "g1"), "silent", NOW)])["silent"]
    made = fix(job, "verdict", "failed")
    assert job.verdict == "failed"
    rebuild([job])
    job.refresh_from_db()
    assert (job.verdict, made.observed) == ("failed", None)
    revert(made, reason="seen again", actor=admin, now=LATER)
    job.refresh_from_db()
    assert job.verdict == "pending"


def test_a_job_goes_to_another_graph_and_back(project, fix, admin):
    job, first = lossy(project, 10), Graph.objects.get()
    second = find_graph(project, "g2", "right")
    made = fix(job, "graph", str(second.pk))
    assert job.graph == second
    third = find_graph(project, "g3")
    again = fix(job, "graph", str(third.pk))
    assert (job.graph, again.observed) == (third, str(first.pk))
    assert lossy(project, 12, at=LATER).graph == third
    revert(again, reason="seen again", actor=admin, now=LATER)
    job.refresh_from_db()
    assert job.graph == first
    assert {
        one.after["corrected"] for one in AuditEntry.objects.filter(deed="made", what="correction")
    } == {"right", "g3"}
    assert Correction.objects.standing().count() == 0
    assert made.pk != again.pk


@pytest.mark.parametrize("value", ["", "x", "-1", "999999"])
def test_a_job_goes_nowhere_but_to_a_graph_of_its_project(project, fix, value):
    job = lossy(project, 10)
    with pytest.raises(
        ValueError, match="can't be empty|valid graph number|only be moved to a graph of its own"
    ):
        fix(job, "graph", value)
    assert not Correction.objects.exists()


def test_a_reason_is_needed_whoever_asks(project, fix, admin):
    job = lossy(project, 10)
    for blank in ("", " \n\t", "\x00"):
        with pytest.raises(ValueError, match="reason is required"):
            fix(job, "status", "failed", reason=blank)
    with pytest.raises(IntegrityError, match="correction_has_a_reason"), transaction.atomic():
        Correction.objects.create(
            job=job, field="status", corrected="x", reason=" \n", actor=admin, made_at=NOW
        )


def test_all_or_none_of_many_are_made(project, fix, admin):
    jobs = [record_reply(project, f"j{n}", file("a", 1)) for n in range(3)]
    changes = [NewCorrection(job, "failed_lines", "0", "vertex", 0) for job in jobs]
    wrong = [*changes[:2], NewCorrection(jobs[2], "failed_lines", "many", "vertex", 0)]
    for bad in (
        wrong,
        [*changes, NewCorrection(jobs[0], "failed_lines", "0", "vertex", 9)],
        [*changes, changes[0]],
    ):
        with pytest.raises(ValueError):
            correct_all(bad, reason="r", actor=admin, now=NOW)
    assert not Correction.objects.exists()
    assert len(correct_all(changes, reason="r", actor=admin, now=NOW)) == 3
    assert set(Job.objects.values_list("failed_lines", flat=True)) == {0}
    assert (
        revert_all(list(Correction.objects.all()), reason="seen again", actor=admin, now=LATER) == 3
    )
    assert set(Job.objects.values_list("failed_lines", flat=True)) == {1}


def test_a_thousand_rows_take_at_most_twenty_queries(project, admin, django_assert_max_num_queries):
    from jobs.record import observe

    graph = find_graph(project, "g1")
    jobs = find_jobs(project, [(graph, f"j{n}", NOW) for n in range(1000)])
    record(
        [
            observe(job, "poll", NOW, 200, reply_body(name, file("a", 1)))
            for name, job in jobs.items()
        ]
    )
    changes = [NewCorrection(job, "failed_lines", "0", "vertex", 0) for job in jobs.values()]
    with django_assert_max_num_queries(20):
        correct_all(changes, reason="recounted", actor=admin, now=LATER)
    assert Job.objects.filter(failed_lines=0).count() == 1000
    assert AuditEntry.objects.filter(what="correction", reason="recounted").count() == 1000
    with django_assert_max_num_queries(20):
        revert_all(list(Correction.objects.all()), reason="seen again", actor=admin, now=LATER)


def test_the_api_and_the_exports_have_both(client, shown, imported, fix):
    fix(imported, "job_name", "Nightly")
    fix(imported, "failed_lines", "5", "vertex", 0)
    object_ = client.get(f"/api/jobs/{imported.pk}/", headers=shown).json()
    assert object_["job_name"] == "Nightly"
    [mark] = object_["corrections"]
    assert (mark["field"], mark["observed"], mark["corrected"], mark["reason"], mark["actor"], mark["flag"]) == (
        "job_name", "ImportGraph", "Nightly", "counted by hand", "ada", None,
    )  # fmt: skip
    of_file = next(one for one in object_["files"] if one["kind"] == "vertex")
    assert (of_file["failed_lines"], of_file["corrections"][0]["observed"]) == (5, "450")
    assert [one["corrections"] for one in object_["files"] if one["kind"] != "vertex"] == [[], []]
    assert exported("jobs") == [object_]
    row = client.get("/api/jobs/", headers=shown).json()["results"][0]
    assert row["corrections"] == [mark]
    files = client.get(f"/api/jobs/{imported.pk}/files/", headers=shown).json()["results"]
    assert [one for one in files if one["kind"] == "vertex"] == [of_file]
    assert [one["corrections"] for one in exported("files") if one["kind"] == "vertex"] == [
        of_file["corrections"]
    ]


def test_pages_mark_a_corrected_value_with_both_who_and_why(client, admin, imported, fix):
    client.force_login(admin)
    fix(imported, "job_name", "Nightly")
    fix(imported, "failed_lines", "5", "vertex", 0)
    fix(imported, "graph", str(find_graph(imported.project, "g2", "right").pk))
    for address, marks in (
        ("/jobs/", ["ImportGraph", "payments"]),
        (f"/jobs/{imported.pk}/", ["ImportGraph", "450", "payments"]),
    ):
        page = client.get(address).content.decode()
        for observed in marks:
            if address == "/jobs/" and observed == "payments":
                continue  # a list names the graph by its number
            assert f"✎ <del>{observed}</del>" in page, (address, observed)
        assert "corrected by ada" in page
        assert "counted by hand" in page


def test_a_flag_is_on_the_jobs_page(client, admin, project, fix):
    job = lossy(project, 10)
    fix(job, "failed_lines", "4", "vertex", 0)
    lossy(project, 7, at=LATER)
    client.force_login(admin)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "Conflict: GES now returns a new value" in page
    assert "now 7" in page


def test_a_test_job_is_kept_and_counted_nowhere(client, admin, project, fix):
    job = record_reply(project, "j1", file("a", 5, cause="bad line 1"), begin=None)
    from django.utils import timezone

    job = record_reply(
        project,
        "j1",
        file("a", 5, cause="bad line 1"),
        at=timezone.now(),
        begin=timezone.now() - timedelta(hours=1),
    )
    client.force_login(admin)
    overview = lambda: client.get("/").context  # noqa: E731
    assert len(overview()["queue"].rows) == 1
    assert len(client.get("/causes/").context["rows"]) == 1
    made = fix(job, "is_hidden", "yes")
    assert (
        overview()["queue"].rows,
        overview()["causes"],
        client.get("/causes/").context["rows"],
    ) == ([], [], [])
    assert "excluded from statistics" in client.get("/jobs/").content.decode()
    assert "not counted anywhere" in client.get(f"/jobs/{job.pk}/").content.decode()
    record_reply(project, "j1", file("a", 6), at=timezone.now())
    assert Job.objects.get().is_hidden
    revert(made, reason="seen again", actor=admin, now=LATER)
    assert not Job.objects.get().is_hidden


# Graphs


def test_a_graphs_name_stands_over_discovery(project, admin):
    graph = find_graph(project, "g1", "payments")
    made = correct_graph(
        graph, field="name", corrected="Payments (old)", reason="reused", actor=admin, now=NOW
    )
    assert find_graph(project, "g1", "payments").name == "Payments (old)"
    assert find_graph(project, "g1", "renamed").name == "Payments (old)"
    made.refresh_from_db()
    assert (made.newest, made.flag) == ("renamed", "contradicted")
    revert(made, reason="seen again", actor=admin, now=LATER)
    assert Graph.objects.get().name == "renamed"


def test_a_graph_is_marked_as_gone_and_back(project, admin):
    graph = find_graph(project, "g1", "payments")
    made = correct_graph(
        graph, field="is_deleted", corrected="yes", reason="seen", actor=admin, now=NOW
    )
    assert Graph.objects.get().is_deleted
    assert note_beside_correction(graph, "is_deleted", "yes")
    made.refresh_from_db()
    assert made.flag == "needless"
    assert not note_beside_correction(graph, "name", "x")


def test_a_graph_known_by_name_is_merged_into_the_one_known_by_id(project, admin):
    bare = project.graphs.create(name="payments", is_deleted=True)
    jobs = find_jobs(project, [(bare, f"old{n}", NOW) for n in range(3)])
    into = find_graph(project, "g1", "payments")
    assert merge_graphs(bare, into, reason="the same one", actor=admin, now=NOW) == 3
    assert set(Job.objects.values_list("graph", flat=True)) == {into.pk}
    bare.refresh_from_db()
    assert bare.merged_into == into
    revert(Correction.objects.get(job=jobs["old1"]), reason="seen again", actor=admin, now=LATER)
    assert Job.objects.get(job_id="old1").graph == bare
    with pytest.raises(ValueError, match="already merged"):
        merge_graphs(bare, into, reason="r", actor=admin, now=NOW)
    third = find_graph(project, "g3", "other")
    correct(
        jobs["old2"],
        kind="",
        position=None,
        field="graph",
        corrected=str(third.pk),
        reason="r",
        actor=admin,
        now=LATER,
    )
    assert split_graph(bare, reason="two after all", actor=admin, now=LATER) == 1
    assert {job.job_id: job.graph for job in Job.objects.select_related("graph")} == {
        "old0": bare, "old1": bare, "old2": third,
    }  # fmt: skip
    with pytest.raises(ValueError, match="not merged"):
        split_graph(bare, reason="r", actor=admin, now=LATER)


def test_a_merge_and_its_undoing_keep_what_people_had_corrected_before(project, admin):
    bare, first, into = (
        project.graphs.create(name="payments"),
        find_graph(project, "g0", "x"),
        find_graph(project, "g1", "y"),
    )
    job = find_jobs(project, [(first, "j1", NOW)])["j1"]
    correct(
        job,
        kind="",
        position=None,
        field="graph",
        corrected=str(bare.pk),
        reason="r",
        actor=admin,
        now=NOW,
    )
    merge_graphs(bare, into, reason="the same one", actor=admin, now=LATER)
    standing = Correction.objects.standing().get()
    assert (standing.observed, standing.corrected) == (str(first.pk), str(into.pk))
    assert (
        split_graph(bare, reason="two after all", actor=admin, now=LATER + timedelta(hours=1)) == 1
    )
    standing = Correction.objects.standing().get()
    assert (standing.observed, standing.corrected, standing.reason) == (
        str(first.pk),
        str(bare.pk),
        "two after all",
    )
    job.refresh_from_db()
    assert job.graph == bare
    revert(standing, reason="not that either", actor=admin, now=LATER + timedelta(hours=2))
    job.refresh_from_db()
    assert job.graph == first


def test_only_fitting_graphs_are_merged(project, admin):
    bare, into = project.graphs.create(name="payments"), find_graph(project, "g1", "payments")
    with pytest.raises(ValueError, match="known by its name"):
        merge_graphs(into, bare, reason="r", actor=admin, now=NOW)
    other = type(project).objects.create(project_id="p2")
    with pytest.raises(ValueError, match="same project"):
        merge_graphs(bare, find_graph(other, "g9"), reason="r", actor=admin, now=NOW)
    with pytest.raises(ValueError, match="reason is required"):
        merge_graphs(bare, into, reason=" ", actor=admin, now=NOW)


def test_corrected_totals_are_marked_and_show_those_of_ges(client, admin, project, fix):
    job = lossy(project, 10)
    assert (job.observed, exported("jobs")[0]["corrected"]) == (None, False)
    made = fix(job, "failed_lines", "4", "vertex", 0)
    job.refresh_from_db()
    stated = {"total": 100, "failed": 10, "successful": 90, "complete": True}
    assert job.observed["lines"]["all"] == stated
    assert (job.observed["ledger"], job.observed["loss_rate"]) == ("adds_up", 0.1)
    assert (job.ledger, job.failed_lines) == ("does_not_add_up", 4)
    row = exported("jobs")[0]
    assert (row["corrected"], row["observed"]["lines"]["all"], row["lines"]["all"]["failed"]) == (
        True,
        stated,
        4,
    )
    client.force_login(admin)
    answer = client.get(f"/api/jobs/{job.pk}/").json()
    assert (answer["corrected"], answer["observed"]) == (True, job.observed)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    told = "Based on corrected file values; GES values give 10. vertex file 0 failed lines, ada: counted by hand"
    assert f'title="{told}"' in page
    assert "✎ <del>10.00%</del>" in page
    assert "✎ <del>10</del>" in client.get("/jobs/").content.decode()
    rebuild([job])
    assert Job.objects.get(pk=job.pk).observed == job.observed
    revert(made, reason="GES was right", actor=admin, now=LATER)
    assert Job.objects.get().observed is None
    assert "Based on corrected file values" not in client.get(f"/jobs/{job.pk}/").content.decode()


def test_a_correction_that_changes_no_figure_leaves_no_mark_on_the_totals(project, fix):
    job = lossy(project, 10)
    fix(job, "path", "c/v.csv", "vertex", 0)
    job.refresh_from_db()
    assert job.observed is None
