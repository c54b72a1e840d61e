import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from jobs.models import Correction

PAGES = ["/", "/graphs/", "/jobs/"]


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


@pytest.mark.parametrize("address", [*PAGES, "/jobs/1/", "/admin/"])
def test_anonymous_is_sent_to_sign_in(client, db, address):
    assert "/login/" in client.get(address).headers["Location"]


@pytest.mark.parametrize("address", PAGES)
def test_pages_show_without_and_with_data(signed_in, address, request):
    assert signed_in.get(address).status_code == 200
    request.getfixturevalue("imported")
    page = signed_in.get(address)
    assert page.status_code == 200
    assert b"payments" in page.content or address == "/"


def test_the_job_page_says_it_file_by_file(signed_in, imported):
    page = signed_in.get(f"/jobs/{imported.pk}/").content.decode()
    assert "Loaded 1,209 of 1,659 vertex lines." in page
    assert "Lost 450 of 2,659 lines, in 1 of 3 files." in page
    assert "b/&lt;script&gt;v.csv" in page
    assert "hx-trigger" not in page


def test_a_running_job_asks_for_its_live_part(signed_in, imported):
    type(imported).objects.update(verdict="running")
    whole = signed_in.get(f"/jobs/{imported.pk}/").content
    part = signed_in.get(f"/jobs/{imported.pk}/", headers={"HX-Request": "true"})
    assert b'hx-trigger="every 5s"' in whole
    assert b"<html" not in part.content
    assert "HX-Request" in part.headers["Vary"]


def test_an_outsider_sees_nothing(client, imported):
    client.force_login(User.objects.create_user("bob"))
    assert client.get(f"/jobs/{imported.pk}/").status_code == 404
    assert client.get(f"/graphs/{imported.graph_id}/").status_code == 404
    assert b"payments" not in client.get("/jobs/").content


def test_a_wrong_filter_is_said_above_the_list(signed_in, imported):
    page = signed_in.get("/jobs/?verdict=splendid&nonsense=1&loss_over=x&cursor=zzz").content.decode()
    assert "verdict: “splendid”" in page
    assert "nonsense: there is no such filter" in page
    assert "payments" in page


def test_a_reply_is_shown_and_downloaded_as_received(signed_in, imported):
    snapshot = imported.snapshots.get()
    address = reverse("pages:snapshot", args=[imported.pk, snapshot.pk])
    assert b"partFailed" in signed_in.get(address).content
    assert signed_in.get(f"{address}?raw").content == bytes(snapshot.body)


def test_a_value_is_corrected_in_the_admin_and_undone_on_the_page(signed_in, imported):
    form = {"where": "vertex:0", "field": "failed_lines", "corrected": "0", "reason": "checked by hand"}
    address = reverse("admin:jobs_job_correct", args=[imported.pk])
    assert b"needs a reason" not in signed_in.get(address).content
    assert signed_in.post(address, {**form, "reason": ""}).status_code == 200
    assert signed_in.post(address, form).status_code == 302
    page = signed_in.get(f"/jobs/{imported.pk}/").content
    assert b"checked by hand" in page
    one = Correction.objects.get()
    signed_in.post(reverse("pages:undo-correction", args=[imported.pk, one.pk]))
    one.refresh_from_db()
    assert one.reverted_at is not None


@pytest.mark.parametrize(
    "table", ["job", "importfile", "snapshot", "miss", "watch", "correction", "project", "graph", "accesskey"]
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


def test_lists_cost_the_same_whatever_the_rows(signed_in, imported, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        signed_in.get("/jobs/")
