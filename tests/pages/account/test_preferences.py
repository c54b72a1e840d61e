import pytest

from tests.imports import record_reply


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def test_a_zone_is_chosen_kept_and_reset(signed_in, project):
    record_reply(project, "j1")
    page = signed_in.post("/me/", {"zone": "Asia/Shanghai"}, follow=True).content.decode()
    assert "Times are shown in Asia/Shanghai." in page
    cookie = signed_in.cookies["gesdash_zone"]
    assert (cookie.value, cookie["samesite"]) == ("Asia/Shanghai", "Lax")
    jobs = signed_in.get("/jobs/").content.decode()
    assert "Start time (UTC+08:00)" in jobs
    assert "2026-03-04 19:00" in jobs
    assert 'datetime="2026-03-04T11:00:00+00:00"' in jobs
    page = signed_in.post("/me/", {"zone": ""}, follow=True).content.decode()
    assert "Times are shown in the time zone of the browser." in page
    assert "2026-03-04 11:00" in signed_in.get("/jobs/").content.decode()


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "+08:00", "../UTC", "x" * 5000, "\x00", "亚洲/上海"]
)
def test_an_invalid_zone_is_reported_and_not_kept(signed_in, zone):
    page = signed_in.post("/me/", {"zone": zone}, follow=True).content.decode()
    assert f"“{zone[:60]}” is not a valid time zone; expected, for example, Asia/Shanghai." in page
    assert not signed_in.cookies.get("gesdash_zone")


@pytest.mark.parametrize("cookie", ["Mars", "../../etc/passwd", "x" * 3000, "\\000", '"'])
def test_without_a_valid_cookie_the_browsers_zone_applies_then_utc(signed_in, project, cookie):
    record_reply(project, "j1")
    signed_in.cookies["gesdash_zone"] = cookie
    assert "2026-03-04 11:00" in signed_in.get("/jobs/").content.decode()
    signed_in.cookies["gesdash_browser_zone"] = "Asia/Kathmandu"
    page = signed_in.get("/jobs/").content.decode()
    assert "2026-03-04 16:45" in page
    assert "Start time (UTC+05:45)" in page


def test_the_language_is_kept_in_a_cookie_and_the_page_stays(signed_in):
    answer = signed_in.post("/language/", {"language": "zh-hans", "next": "/jobs/?verdict=failed"})
    assert answer.headers["Location"] == "/jobs/?verdict=failed"
    assert signed_in.cookies["django_language"].value == "zh-hans"
    assert '<html lang="zh-hans">' in signed_in.get("/me/").content.decode()
    assert (
        signed_in.post("/language/", {"language": "en", "next": "https://evil.example/"}).headers[
            "Location"
        ]
        == "/"
    )
    signed_in.post("/language/", {"language": "xx"})
    assert signed_in.cookies["django_language"].value == "en"
