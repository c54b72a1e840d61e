"""What only a browser can show: looks, keyboard, live parts, pages without scripts."""

from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.browser import CHINESE

pytestmark = pytest.mark.browser

PAGES = {
    "overview": "/",
    "graphs": "/graphs/",
    "graph": "/graphs/{partial.graph_id}/?days=7",
    "graph without jobs": "/graphs/{empty.pk}/",
    "jobs": "/jobs/",
    "jobs filtered": "/jobs/?verdict=partial&verdict=success&loss_over=0&nonsense=1",
    "no jobs": "/jobs/?graph=nowhere",
    "job": "/jobs/{partial.pk}/",
    "job by cause": "/jobs/{partial.pk}/?group=cause",
    "running job": "/jobs/{running.pk}/",
    "compare": "/jobs/{partial.pk}/compare/?with={before.pk}",
    "repair": "/jobs/{partial.pk}/repair/",
    "lost files": "/files/?since=7d",
    "history": "/jobs/{partial.pk}/history/",
    "snapshot": "/jobs/{partial.pk}/snapshots/{snapshot.pk}/",
    "causes": "/causes/",
    "cause": "/causes/{cause}/",
    "files": "/files/",
    "files like": "/files/?path=part-0000",
    "file": "/files/?path={path}",
    "overview as it was": "/?as_of={at}",
    "graph as it was": "/graphs/{partial.graph_id}/?as_of={at}",
    "job as it was": "/jobs/{partial.pk}/?as_of={at}",
    "trail": "/audit/",
    "proof": "/proof/",
    "status": "/status/",
    "project": "/projects/{project.pk}/",
    "keys": "/me/keys/",
    "preferences": "/me/",
    "missing": "/jobs/999999999/",
}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The dark theme has other values of the custom properties that are colours: no other rule of
# axe can tell it from the light one.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
USERS = {"username": "ada", "password": "a long password"}


# Contrast takes most of axe's time. A row whose elements, classes and states are those of five
# before it has their colours.
AXE = (
    AXE_SCRIPT
    + "; axe.configure({rules: [{id: 'color-contrast', selector: ':not([data-repeated])'}]})"
)
PREPARE = """
    for (const details of document.querySelectorAll("main details")) details.open = true;
    // Of text on a gradient, as on the shade at a table's edges, axe can't tell the contrast.
    for (const box of document.querySelectorAll(".scroll, .tabs"))
        box.style.background = "var(--ground-of, var(--card))";
    const hasLook = name => ["class", "role", "type"].includes(name) || name.startsWith("aria-");
    const look = element => element.localName + !element.textContent.trim()
        + [...element.attributes].map(({name, value}) => hasLook(name) ? name + "=" + value : name)
        + "(" + [...element.children].map(look) + ")";
    const counts = {};
    for (const row of document.querySelectorAll("main tbody tr")) {
        const kind = look(row);
        counts[kind] = (counts[kind] || 0) + 1;
        if (counts[kind] > 5)
            for (const element of [row, ...row.querySelectorAll("*")])
                element.dataset.repeated = "";
    }
"""


def violations(page, rules):
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(options).then(({violations}) => violations)", options)
    nodes = [(one["id"], node) for one in found for node in one["nodes"][:3]]
    return [f"{rule}: {node['target'][0]} {node['html'][:160]}" for rule, node in nodes]


def test_every_page_is_accessible_and_fits(visit, world):
    page = visit(color_scheme="light")
    page.add_init_script(AXE)
    faults = []
    for name, address in [*PAGES.items(), ("sign-in", "/login/")]:
        if name == "sign-in":
            page.context.clear_cookies()
        page.emulate_media(color_scheme="light")
        answer = page.goto(address.format(at=world.known_at, **vars(world)))
        assert answer.status == (404 if name == "missing" else 200), name
        page.evaluate(PREPARE)
        for width in (1280, 768, 390):
            page.set_viewport_size({"width": width, "height": 844})
            if page.evaluate("document.scrollingElement.scrollWidth") > width:
                faults.append(f"{name} is wider than {width}")
            if width != 768:
                for theme, rules in (("light", TAGS), ("dark", OF_COLOURS)):
                    page.emulate_media(color_scheme=theme)
                    faults += [
                        f"{name} at {width}, {theme}: {one}" for one in violations(page, rules)
                    ]
    assert not faults, "\n".join(faults)
    assert [one for one in page.complaints if "404" not in one] == []


CUT = """
    [...document.querySelectorAll('.scroll, .tabs')]
        .filter(box => box.scrollWidth > box.clientWidth + 1).length
"""


def test_no_table_of_usual_figures_is_cut_on_a_laptop(visit, world):
    file = {
        "path": "ges-data/supply-chain/stream/vertex/part-0000.csv",
        "log": "ges-data/import-logs/7f3d9a52.log",
    }
    cause = (
        "GES.7017: The object does not exist. Check whether the bucket or object name is correct."
    )
    counts = {"totalLines": 148_558, "failedLines": 11_962, "successfulLines": 136_596}
    lost = file | counts | {"status": "partFailed", "cause": cause}
    job = world.record("usual", status="partiallyFailed", jobDetail={"vertexsetPath": [lost]})
    page = visit()
    for address in (f"/jobs/{job.pk}/", "/jobs/", "/causes/", "/files/"):
        page.goto(address)
        assert page.evaluate(CUT) == 0, address


def tab_to(page, selector, most=120):
    """Press Tab until the focus is there; each stop must show that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        there, outline = page.evaluate(
            "selector => {"
            "const focused = document.activeElement, style = getComputedStyle(focused);"
            "return [focused.matches(selector), style.outlineStyle + style.outlineWidth]; }",
            selector,
        )
        assert outline != "none0px"
        if there:
            return
    raise AssertionError(f"no {selector} within {most} stops")


def test_a_review_is_saved_with_the_keyboard_alone(visit, world):
    page = visit(signed_in=False)
    page.goto("/")
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type(USERS["username"])
    page.keyboard.press("Tab")
    page.keyboard.type(USERS["password"])
    page.keyboard.press("Enter")
    expect(page.locator("#h-needs")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    tab_to(page, f'main a[href="/jobs/{world.partial.pk}/"]', most=12)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/jobs/{world.partial.pk}/")
    tab_to(page, "#review [name=state]")
    page.keyboard.press("Space")
    tab_to(page, "#review [name=note]")
    page.keyboard.type("load it again tonight")
    tab_to(page, "#review button.primary")
    page.keyboard.press("Enter")
    expect(page.locator(".message.success")).to_be_visible()
    assert world.partial.reviews.get().note == "load it again tonight"


def test_on_a_phone_the_files_with_failures_are_one_tap_away(visit, world):
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    page.goto(f"/jobs/{world.partial.pk}/")
    page.get_by_role("link", name="Failed files").tap()
    expect(page.locator("table.files tbody tr").first).to_be_in_viewport()
    expect(page.locator("table.files tbody tr").first).to_contain_text("Partial success")


def test_keys_reach_the_filter_and_close_menus(visit, world):
    page = visit()
    page.goto("/jobs/")
    page.keyboard.press("/")
    expect(page.locator("[name=graph]")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.locator("[name=graph]")).to_have_value("a/b")
    menu = page.locator("details.menu", has_text="Sign out")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.locator("a").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.locator("a").first).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()


def test_keys_move_between_rows_and_are_listed(visit, world):
    page = visit()
    page.goto("/jobs/?sort=-failed_lines")
    first = page.locator("#jobs tbody tr").nth(0).locator("a").first
    second = page.locator("#jobs tbody tr").nth(1).locator("a").first
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.locator("[name=graph]").focus()
    page.keyboard.type("j?k")
    expect(page.locator("[name=graph]")).to_have_value("j?k")
    assert page.complaints == []


def test_the_error_of_a_review_is_visible_with_the_focus_in_its_field(visit, world):
    page = visit(width=390, height=700)
    page.goto(f"/jobs/{world.partial.pk}/")
    page.get_by_label("Accepted", exact=True).check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#wrong-note")).to_be_in_viewport()
    expect(page.locator("#review-note")).to_be_focused()
    expect(page.get_by_label("Accepted", exact=True)).to_be_checked()


def test_later_imports_are_offered_where_one_fixed_it(visit, world):
    page = visit()
    page.goto(f"/jobs/{world.before.pk}/")
    page.locator("#review-fixed_by").focus()
    expect(page.locator(f'#later option[value="{world.partial.job_id}"]')).to_have_count(1)
    expect(page.locator('#people option[value="ada"]')).to_have_count(1)
    assert page.complaints == []


def test_a_review_is_saved_on_a_phone(visit, world):
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Jobs").tap()
    row = page.locator(f"#job-{world.partial.pk}")
    page.locator("thead").get_by_role("link", name="Failed lines").tap()
    expect(page.locator("thead [aria-sort]")).to_contain_text("Failed lines")
    cells = row.locator("td:visible")
    tops = [cell.bounding_box()["y"] for cell in cells.all()]
    assert tops == sorted(set(tops))  # one below the other
    assert cells.nth(1).evaluate("cell => getComputedStyle(cell, '::before').content") == '"Job"'
    row.get_by_role("link", name="ImportGraph").tap()
    review = page.locator("#review")
    review.get_by_text("To fix", exact=True).tap()
    review.locator("[name=note]").fill("load it again")
    review.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator(".message.success")).to_be_visible()
    assert world.partial.reviews.get().state == "to_fix"


def test_a_printed_page_has_whole_tables_and_no_controls(visit, world):
    page = visit()
    page.goto(f"/jobs/{world.partial.pk}/")
    page.emulate_media(media="print")
    expect(
        page.locator("nav:visible, form:visible, button:visible, input:visible, .top:visible")
    ).to_have_count(0)
    cut = "all => all.filter(one => one.scrollHeight > one.clientHeight + 1).length"
    assert page.locator(".tall, .scroll").evaluate_all(cut) == 0
    expect(page.locator("table.files tbody tr:visible")).to_have_count(100)


def test_without_scripts_every_page_shows(visit, world):
    page = visit(java_script_enabled=False)
    for name, address in PAGES.items():
        assert page.goto(address.format(at=world.known_at, **vars(world))).status == (
            404 if name == "missing" else 200
        ), name
        assert page.locator("h1").count() == 1, name
        assert page.locator("[data-copy]:visible").count() == 0, name


def test_without_scripts_every_form_works(visit, world):
    page = visit(signed_in=False, java_script_enabled=False)
    page.goto("/jobs/")
    for field, value in USERS.items():
        page.fill(f"[name={field}]", value)
    page.click("button.primary")
    rows = page.locator("table.rows tbody tr")
    page.click("thead a:has-text('Duration')")
    expect(rows.first).to_contain_text("55 min")
    page.click("a[rel=next]")
    expect(page.locator("a[rel=prev]")).to_be_visible()
    page.fill("[name=graph]", CHINESE)
    page.click("form.filters button.primary")
    expect(rows).to_have_count(2)
    page.click("summary:has-text('Saved views')")
    page.fill("[name=name]", "客户")
    page.click(".sheet button:has-text('Save')")
    expect(page.locator(".message.success")).to_contain_text("客户")

    page.goto(f"/jobs/{world.partial.pk}/")
    page.select_option("[name=kind]", "edge")
    page.click("button:has-text('Filter files')")
    expect(page.locator("table.files tbody tr")).to_have_count(90)
    page.check("[name=state][value=accepted]")
    page.fill("[name=note]", "no loss to anybody")
    page.click("#review button.primary")
    expect(page.locator("#review")).to_contain_text("no loss to anybody")
    page.goto(f"/causes/{world.cause}/")
    page.fill("[name=note]", "count the columns")
    page.click("main button.primary")
    expect(page.locator("main")).to_contain_text("count the columns")

    page.goto(f"/graphs/{world.running.graph_id}/")
    page.click("summary:has-text('Edit')")
    page.fill("[name=share]", "0.02")
    page.click(".sheet button.primary")
    expect(page.locator("main")).to_contain_text("2.00%")
    page.fill(".inline [name=job_id]", "to-be-watched")
    page.click("button:has-text('Track')")
    expect(page.locator(".message.success")).to_be_visible()
    page.goto("/me/")
    page.fill("[name=zone]", "Asia/Tokyo")
    page.click("main button.primary")
    expect(page.locator("main")).to_contain_text("UTC+09:00")
    page.click("main button:has-text('简体中文')")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")


def test_language_and_zone_are_the_browsers(visit, world):
    page = visit(signed_in=False, locale="zh-CN", timezone_id="Asia/Shanghai")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    for field, value in USERS.items():
        page.fill(f"[name={field}]", value)
    page.click("button.primary")
    page.goto("/jobs/")
    row = page.locator(f"#job-{world.partial.pk}")
    began = world.partial.begin_time.astimezone(ZoneInfo("Asia/Shanghai"))
    expect(row.locator("time")).to_have_text(f"{began:%Y-%m-%d %H:%M}")
    expect(page.locator("thead")).to_contain_text("UTC+08:00")


def test_copied_figures_have_no_separators(visit, world):
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/jobs/{world.partial.pk}/")
    figure = page.locator("table.files b.bad").first
    assert "," in figure.inner_text()
    figure.select_text()
    page.keyboard.press("ControlOrMeta+c")
    assert page.evaluate("navigator.clipboard.readText()") == figure.inner_text().replace(",", "")
