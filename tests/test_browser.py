"""What only a browser can show: looks, keyboard, live parts, pages without scripts."""

import pytest
from axe_playwright_python.sync_playwright import Axe

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
    "history": "/jobs/{partial.pk}/history/",
    "snapshot": "/jobs/{partial.pk}/snapshots/{snapshot.pk}/",
    "causes": "/causes/",
    "cause": "/causes/{cause}/",
    "files": "/files/",
    "files like": "/files/?path=part-0000",
    "file": "/files/?path={path}",
    "preferences": "/me/",
    "missing": "/jobs/999999999/",
}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
# Rows are alike: the first ones of a table stand for the hundred.
FIRST_ROWS = {"exclude": [["tr:nth-child(n+9)"]]}


def violations(page):
    found = Axe().run(page, context=FIRST_ROWS, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target'][0]} {node['html'][:160]}" for one in found for node in one["nodes"][:3]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(visit, world, theme):
    page = visit(color_scheme=theme)
    wrong = []
    for name, address in PAGES.items():
        answer = page.goto(address.format(**vars(world)))
        assert answer.status == (404 if name == "missing" else 200), name
        page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
        for width in (1280, 768, 390):
            page.set_viewport_size({"width": width, "height": 844})
            if page.evaluate("document.scrollingElement.scrollWidth") > width:
                wrong.append(f"{name} is wider than {width}")
            if width != 768:
                wrong += [f"{name} at {width}: {one}" for one in violations(page)]
        page.set_viewport_size({"width": 1280, "height": 844})
    assert not wrong, "\n".join(wrong)
    assert [one for one in page.complaints if "404" not in one] == []
