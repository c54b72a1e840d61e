"""Pages in Markdown, read as far as tests need them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TOP = {path.name for path in ROOT.iterdir()}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page):
    return FENCE.sub("", text_of(page))


def spans(page):
    return re.findall(r"`([^`\n]+)`", prose(page))


def blocks(page, language):
    return [body for name, body in FENCE.findall(text_of(page)) if name == language]


def table(page, first_head):
    """The rows of the one table whose first column has this head, each a list of its cells."""
    head = rf"^\| {re.escape(first_head)} \|.*\n\|[-|]+\|\n"
    [rows] = re.findall(head + r"((?:\|.*\n?)+)", text_of(page), re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows.splitlines()]


def named(cells):
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def first_column(page, first_head):
    return named(row[0] for row in table(page, first_head))


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page):
    """The links within the repository: path and anchor."""
    found = re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", prose(page))
    return [(target, anchor) for target, anchor in found if "://" not in target]
