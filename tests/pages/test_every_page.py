"""Every page: whole, as a part, boosted and restored; empty and with a story."""

import re

import pytest
from django.urls import resolve, reverse

from jobs.models import Cause, Correction, Job
from tests.imports import record_story

PAGES = ["/", "/graphs/", "/jobs/", "/causes/", "/files/", "/me/"]
PART = {"HX-Request": "true"}
WHOLE = [{}, PART | {"HX-Boosted": "true"}, PART | {"HX-History-Restore-Request": "true"}]


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def is_sound(content):
    """Whether the markup closes what it opens, has each id once and holds nothing inline."""
    page = content.decode()
    for tag in ("div", "section", "table", "tr", "form", "ul", "svg", "a", "details", "figure"):
        assert len(re.findall(rf"<{tag}[\s>]", page)) == page.count(f"</{tag}>"), tag
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert sorted(ids) == sorted(set(ids))
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=\"", page)
    return True


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("headers", WHOLE)
def test_every_page_of_an_empty_site(signed_in, address, headers):
    page = signed_in.get(address, headers=headers)
    assert page.status_code == 200
    assert is_sound(page.content)
    assert b"<html" in page.content


def addresses_of(job):
    below = ["", "compare/", "repair/", "history/", f"snapshots/{job.snapshots.latest('pk').pk}/"]
    return [f"/jobs/{job.pk}/{one}" for one in below] + [
        f"/jobs/{job.pk}/?group={one}" for one in ("kind", "verdict", "folder", "cause")
    ]


def test_every_page_of_the_story_is_valid_whole_and_as_a_part(signed_in, project):
    record_story(project)
    lossy = Job.objects.filter(job_name="ImportGraph").exclude(verdict="success")
    job_by_verdict = {job.verdict: job for job in lossy}
    rare = [
        *lossy.order_by("-file_count")[:1],
        *lossy.filter(files__path__contains="<script>"),
        Job.objects.exclude(job_name="ImportGraph")[0],
    ]
    rare += [
        *Job.objects.filter(total_lines__gt=2**53)[:1],
        *Job.objects.filter(ledger="does_not_add_up")[:1],
    ]
    assert len(rare) == 5
    addresses = [one for job in [*job_by_verdict.values(), *rare] for one in addresses_of(job)]
    addresses += [f"/causes/{pk}/" for pk in Cause.objects.values_list("pk", flat=True)[:4]]
    addresses += [f"/graphs/{pk}/?days=30" for pk in project.graphs.values_list("pk", flat=True)]
    addresses += [
        *PAGES,
        "/files/?path=ges-data/payments/vertex/part-0003.csv",
        "/files/?path=part-0003",
        "/jobs/?sort=-loss_rate",
    ]
    visited = set()
    for address in addresses:
        path, _, query = address.partition("?")
        kind = resolve(path).view_name, query
        # A view tells a boosted or restored page from the headers alone: once for each will do.
        for headers in WHOLE[:1] if kind in visited else WHOLE:
            page = signed_in.get(address, headers=headers)
            assert page.status_code == 200, address
            assert is_sound(page.content), address
            assert b"<html" in page.content, address
        visited.add(kind)
        part = signed_in.get(address, headers=PART)
        assert b"<html" not in part.content, address
        assert is_sound(part.content), address
        assert "HX-Request" in part.headers["Vary"]
        assert b"<script>alert" not in page.content + part.content


def test_a_reply_is_shown_and_downloaded_as_received(signed_in, imported):
    snapshot = imported.snapshots.get()
    address = reverse("pages:snapshot", args=[imported.pk, snapshot.pk])
    assert b"partFailed" in signed_in.get(address).content
    assert signed_in.get(f"{address}?raw").content == bytes(snapshot.body)


def test_a_value_is_corrected_in_the_admin_and_undone_on_the_page(signed_in, imported):
    form = {
        "where": "vertex:0",
        "field": "failed_lines",
        "corrected": "0",
        "reason": "checked by hand",
    }
    address = reverse("admin:jobs_job_correct", args=[imported.pk])
    assert b"needs a reason" not in signed_in.get(address).content
    assert signed_in.post(address, {**form, "reason": ""}).status_code == 200
    assert signed_in.post(address, form).status_code == 302
    page = signed_in.get(f"/jobs/{imported.pk}/").content
    assert b"checked by hand" in page
    correction = Correction.objects.get()
    undo = reverse("pages:undo-correction", args=[imported.pk, correction.pk])
    assert b"A reason is required." in signed_in.post(undo, {"reason": " "}, follow=True).content
    correction.refresh_from_db()
    assert correction.reverted_at is None
    signed_in.post(undo, {"reason": "it was right"})
    correction.refresh_from_db()
    assert correction.reverted_at is not None


@pytest.mark.parametrize(
    "table",
    [
        "job",
        "importfile",
        "snapshot",
        "miss",
        "watch",
        "correction",
        "project",
        "graph",
        "accesskey",
    ],
)
def test_every_table_has_its_admin_list(signed_in, imported, table):
    assert signed_in.get(f"/admin/jobs/{table}/").status_code == 200


def test_a_snapshot_is_read_only_in_the_admin(signed_in, imported):
    page = signed_in.get(f"/admin/jobs/snapshot/{imported.snapshots.get().pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content


def test_health(client, db):
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").status_code == 200


def test_the_queries_of_lists_do_not_grow_with_the_rows(
    signed_in, project, django_assert_max_num_queries
):
    record_story(project)
    for address in ("/jobs/", "/graphs/", "/causes/", "/files/?path=e"):
        with django_assert_max_num_queries(10):
            signed_in.get(address)
