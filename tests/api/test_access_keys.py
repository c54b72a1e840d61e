"""Access keys: signed requests, expiry, revocation and the pages that manage them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from jobs.ges import signing
from jobs.models import AccessKey, Membership, Project

ADDRESS = "/v1.0/p1/graphs/g1/jobs/j1/status"
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def signed():
    """The headers of a signed request, and all that `verify` needs with them."""
    kept = {"Content-Type": "application/json", "X-Project-Id": "p1"}
    made = signing.sign("GET", "http://h/v1.0/a%2Fb/x?b=1&a=2", kept, b"", "AK", "SK", NOW)
    headers = {name.lower(): value for name, value in {**kept, **made}.items()}
    whole = {
        "method": "GET",
        "path": "/v1.0/a%2Fb/x",
        "query": "b=1&a=2",
        "headers": headers,
        "body": b"",
        "sk": "SK",
        "now": NOW,
    }
    return signing.read_authorization(made["Authorization"]), whole


def test_signing_and_verifying_agree(signed):
    claim, whole = signed
    signing.verify(claim, **whole)
    signing.verify(claim, **{**whole, "query": "a=2&b=1", "now": NOW + timedelta(minutes=15)})


@pytest.mark.parametrize("change", [
    {"path": "/v1.0/ab/x"}, {"path": "/v1.0/a%2Fb/X"}, {"sk": "other"}, {"body": b"x"}, {"method": "HEAD"}, {"query": "a=2"},
    {"query": "a=2&b=1&c"}, {"now": NOW + timedelta(minutes=15, seconds=1)}, {"now": NOW - timedelta(minutes=15, seconds=1)},
])  # fmt: skip
def test_any_change_of_the_request_is_detected(signed, change):
    claim, whole = signed
    with pytest.raises(signing.BadSignature):
        signing.verify(claim, **{**whole, **change})


@pytest.mark.parametrize("name", ["content-type", "host", "x-project-id", "x-sdk-date"])
@pytest.mark.parametrize("value", ["other", "20260304T120001Z", None])
def test_any_change_of_a_signed_header_is_detected(signed, name, value):
    claim, whole = signed
    headers = {**whole["headers"], name: value}
    if value is None:
        del headers[name]
    with pytest.raises(
        signing.BadSignature, match="is not there" if value is None else "match|time|minutes"
    ):
        signing.verify(claim, **{**whole, "headers": headers})


@pytest.mark.parametrize("shown", [
    "SDK-HMAC-SHA256", "SDK-HMAC-SHA256 Access=A, SignedHeaders=host, Signature=zz", "SDK-HMAC-SM3 Access=A",
    "SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=" + "0" * 64,
])  # fmt: skip
def test_malformed_authorization_is_reported(shown):
    with pytest.raises(signing.BadSignature, match="expected"):
        signing.read_authorization(shown)


def test_the_date_must_be_signed(signed):
    claim, whole = signed
    with pytest.raises(signing.BadSignature, match="must be signed"):
        signing.verify(signing.SignatureClaim("AK", ("host",), claim.signature), **whole)


def ask(client, key, secret, **changed):
    headers = {"Host": "testserver", "X-Project-Id": "p1"}
    made = signing.sign(
        "GET", f"http://testserver{ADDRESS}", headers, b"", key.access_key, secret, timezone.now()
    )
    return client.get(ADDRESS, headers={**headers, **made, **changed})


def test_a_signed_request_is_accepted_and_may_be_repeated(client, imported, key):
    assert [ask(client, key, key.plain).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "changed", [{"X-Project-Id": "p2"}, {"Host": "localhost"}, {"X-Sdk-Date": "20200101T000000Z"}]
)
def test_one_changed_header_is_a_401_with_the_reason(client, imported, key, changed):
    answer = ask(client, key, key.plain, **changed)
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "GESDASH.0401")
    assert "The signature is not valid" in answer.json()["errorMessage"]


@pytest.mark.parametrize("change", [
    {"revoked_at": NOW}, {"expires_at": NOW}, {"access_key": "OTHER"},
])  # fmt: skip
def test_a_key_that_is_unknown_revoked_or_expired_is_refused(client, imported, key, change):
    AccessKey.objects.update(**change)
    assert ask(client, key, key.plain).status_code == 401
    if "access_key" not in change:
        assert client.get(ADDRESS, headers={"X-Auth-Token": key.token}).status_code == 401


def test_the_key_of_an_inactive_user_is_refused(client, imported, key):
    User.objects.update(is_active=False)
    assert client.get(ADDRESS, headers={"X-Auth-Token": key.token}).status_code == 401


def test_a_signed_body_counts_and_one_over_the_limit_is_a_400(client, imported, key):
    made = signing.sign(
        "GET", f"http://testserver{ADDRESS}", {}, b"{}", key.access_key, key.plain, timezone.now()
    )
    assert client.generic("GET", ADDRESS, b"{}", headers=made).status_code == 200
    assert client.generic("GET", ADDRESS, b"[]", headers=made).status_code == 401
    answer = client.generic("GET", ADDRESS, b" " * 3_000_000, headers=made)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GESDASH.0400")


def test_the_last_use_is_written_once_a_minute(key):
    now = timezone.now().replace(second=5, microsecond=0)
    for seconds, noted in ((0, 0), (30, 0), (59, 0), (61, 61)):
        assert key.count_requests(1, limit=100, now=now + timedelta(seconds=seconds))
        key.refresh_from_db()
        assert key.last_used_at == now + timedelta(seconds=noted)


def test_requests_are_counted_a_minute(key):
    now = NOW
    assert key.count_requests(60, limit=100, now=now)
    assert not key.count_requests(41, limit=100, now=now)
    assert key.count_requests(40, limit=100, now=now)
    assert not key.count_requests(1, limit=100, now=now + timedelta(seconds=59))
    assert key.count_requests(100, limit=100, now=now + timedelta(seconds=60))


def test_over_a_keys_own_rate_it_is_a_429_with_retry_after(client, imported, key):
    AccessKey.objects.update(requests_per_minute=3)
    answers = [client.get(ADDRESS, headers={"X-Auth-Token": key.token}) for _ in range(7)]
    assert [a.status_code for a in answers][:3] == [200] * 3
    late = [a for a in answers if a.status_code == 429]  # a minute may end in between, once
    assert late
    assert late[0].json()["errorCode"] == "GESDASH.0429"
    assert 0 < int(late[0].headers["Retry-After"]) <= 60
    assert client.get("/api/jobs/", headers={"X-Auth-Token": key.token}).status_code in {200, 429}


def test_a_user_creates_a_key_sees_its_secret_once_and_revokes_it(client, imported):
    bob = User.objects.create_user("bob")
    Membership.objects.create(project=imported.project, user=bob)
    hidden = Project.objects.create(project_id="p-unseen")
    client.force_login(bob)
    assert (
        f'<option value="{imported.project.pk}" selected>'
        in client.get("/me/keys/").content.decode()
    )
    form = {"name": "nightly", "days": "30", "projects": [imported.project.pk]}
    page = client.post("/me/keys/", form).content.decode()
    token = re.search(r"gd_[\w-]+", page)[0]
    key = AccessKey.objects.get()
    assert key.secret in page
    assert not key.all_projects
    assert (
        f"curl -H &#x27;X-Auth-Token: {token}&#x27;" in page
        or f"curl -H 'X-Auth-Token: {token}'" in page
    )
    assert timedelta(29) < key.expires_at - timezone.now() <= timedelta(30)
    assert client.get(ADDRESS, headers={"X-Auth-Token": token}).status_code == 200
    again = client.get("/me/keys/")
    assert key.secret not in again.content.decode()
    assert token not in again.content.decode()
    assert b"nightly" in again.content
    assert b"p-unseen" not in again.content
    assert "no-store" in again.headers["Cache-Control"]
    assert client.post("/me/keys/", {**form, "projects": [hidden.pk]}).status_code == 400
    assert client.post("/me/keys/", {"name": "n", "days": "5"}).status_code == 400
    assert client.post("/me/keys/", {**form, "days": "0"}).status_code == 400
    assert AccessKey.objects.count() == 1
    client.post(f"/me/keys/{key.pk}/revoke/")
    assert client.get(ADDRESS, headers={"X-Auth-Token": token}).status_code == 401


def test_only_the_admin_revokes_other_users_keys(client, admin, key):
    bob = User.objects.create_user("bob")
    client.force_login(bob)
    assert client.post(f"/me/keys/{key.pk}/revoke/").status_code == 404
    assert key.access_key not in client.get("/me/keys/").content.decode()
    client.force_login(admin)
    chosen = {"action": "revoke", "_selected_action": [key.pk]}
    page = client.post("/admin/jobs/accesskey/", chosen, follow=True)
    assert b"1 revoked; 0 already revoked" in page.content
    key.refresh_from_db()
    assert key.revoked_at
    assert client.get(f"/admin/jobs/accesskey/{key.pk}/change/").status_code == 200
