"""Parts that ask for themselves, and what a reader keeps while they do."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser import CHINESE

pytestmark = pytest.mark.browser


def tick(page, part):
    """Let five seconds pass in the browser; the status of what `part` of the page asked for."""
    with page.expect_response(lambda answer: part in answer.url) as answer:
        page.clock.run_for(5100)
    return answer.value.status


def asks_nothing(page, part, seconds=20):
    """Whether the page does not ask for this part in that time.

    A request of our own shows that none is on its way.
    """
    requests = []
    page.on(
        "request", lambda request: requests.append(request.url) if part in request.url else None
    )
    page.clock.run_for(seconds * 1000)
    page.evaluate("fetch('/healthz')")
    return requests == []


def look(page, hidden):
    """Put the tab away, or bring it back."""
    page.evaluate(
        "hidden => {"
        "Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


@pytest.fixture
def page(visit):
    page = visit()
    page.clock.install()
    return page


def test_a_running_job_is_redrawn_on_changes_and_keeps_typed_text(page, world):
    page.goto(f"/jobs/{world.running.pk}/")
    assert tick(page, "seen=") == 204
    page.fill("[name=file]", "b/v1")
    files = [
        ("edgesetPath", f"b/e{number}.csv", "success", 7_654_321, 0, None) for number in range(12)
    ]
    world.record("running-job", status="running", files=files)
    assert tick(page, "seen=") == 200
    expect(page.locator("#files")).to_contain_text("7,654,321")
    expect(page.locator("[name=file]")).to_have_value("b/v1")
    expect(page.locator("[name=file]")).to_be_focused()

    look(page, hidden=True)
    assert asks_nothing(page, "seen=")
    look(page, hidden=False)
    world.record("running-job", files=files)
    assert tick(page, "seen=") == 200
    expect(page.locator("h1 + .verdict")).to_have_text("Success")
    assert asks_nothing(page, "seen=")
    assert page.complaints == []


def test_a_page_that_cannot_refresh_says_since_when(page, world):
    page.goto(f"/jobs/{world.running.pk}/")
    lost = re.compile("seen=")
    page.route(lost, lambda route: route.abort())
    page.clock.run_for(5100)
    expect(page.locator("#offline")).to_contain_text(re.compile(r"as of \d+:\d\d:\d\d"))
    page.unroute(lost)
    tick(page, "seen=")
    expect(page.locator("#offline")).to_be_hidden()


def test_a_list_announces_new_jobs_and_redraws_running_ones_in_place(page, world):
    page.goto("/jobs/")
    rows = page.locator("table.rows tbody tr")
    before = [(row.get_attribute("id"), row.bounding_box()["y"]) for row in rows.all()]
    assert tick(page, "/news/") == 204
    page.fill("[name=graph]", "pay")
    world.record("new-job")
    world.record("running-job", files=[("edgesetPath", "b/e.csv", "success", 1000, 0, None)])
    assert tick(page, "/news/") == 200
    expect(page.locator("#news")).to_have_text("Show 1 new job")
    expect(page.locator(f"#job-{world.running.pk} .verdict")).to_have_text("Success")
    assert [(row.get_attribute("id"), row.bounding_box()["y"]) for row in rows.all()] == before
    expect(page.locator("[name=graph]")).to_have_value("pay")
    expect(page.locator("[name=graph]")).to_be_focused()
    page.click("#news a")
    expect(page.locator("table.rows")).to_contain_text("new-job")
    assert page.complaints == []


def test_the_overview_shows_an_ended_job_and_keeps_the_focus(page, world):
    page.goto("/")
    link = page.locator(f'#now a[href="/jobs/{world.partial.pk}/"]')
    link.focus()
    late = timezone.now() + timedelta(seconds=1)
    world.record(
        "failed-now",
        at=late,
        status="failed",
        failReason="GES.7011: gone",
        beginTime=f"{late:%Y-%m-%dT%H:%M:%S}",
    )
    page.clock.run_for(10_100)
    expect(page.locator("#now")).to_contain_text("GES.7011: gone")
    expect(link).to_be_focused()


def test_a_filter_is_in_the_address_and_back_restores_the_list(visit, world):
    page = visit()
    page.goto("/jobs/")
    page.fill("[name=graph]", CHINESE)
    page.keyboard.press("Enter")
    page.wait_for_url("**graph=*")
    table_rows = page.locator("table.rows tbody tr")
    expect(table_rows).to_have_count(2)
    expect(page.locator("[name=graph]")).to_be_focused()
    assert "graph=%E5%AE%A2" in page.locator("[name=query]").get_attribute("value")
    page.reload()
    expect(table_rows).to_have_count(2)
    table_rows.locator("a").first.click()
    expect(page.locator("h1")).to_have_text("ImportGraph")
    page.go_back()
    expect(table_rows).to_have_count(2)
    expect(page.locator("[name=graph]")).to_have_value(CHINESE)
    page.go_back()
    expect(table_rows).to_have_count(50)
    expect(page.locator("[name=graph]")).to_have_value("")
    page.go_forward()
    expect(table_rows).to_have_count(2)
    expect(page.locator("[name=graph]")).to_have_value(CHINESE)


def test_the_slider_leads_to_the_historical_view(visit, world):
    page = visit()
    page.goto(f"/jobs/{world.partial.pk}/")
    page.click("#h-moments")
    slider = page.locator("input[data-moments]")
    assert slider.is_visible()
    assert slider.input_value() == slider.get_attribute("max")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url("**/?as_of=*")
    assert "Historical view" in page.inner_text("main")
    assert page.inner_text("#job-title .verdict") == "Running"
    page.click("main .message a")
    page.wait_for_url(f"**/jobs/{world.partial.pk}/")
    assert page.complaints == []


def test_without_scripts_the_moments_are_links_and_a_form(visit, world):
    page = visit(java_script_enabled=False)
    page.goto(f"/jobs/{world.partial.pk}/")
    page.click("#h-moments")
    assert page.locator("input[data-moments]").is_hidden()
    page.fill("[name=as_of]", "2020-01-01T00:00:00")
    page.click(".moments button")
    assert "Nothing was known about this job" in page.inner_text("main")
    page.click("text=Times when something changed")
    page.click("#moments a >> nth=0")
    assert page.inner_text("#job-title .verdict") == "Running"
