"""The markup of a page, whatever lines its templates are broken into."""

import re

TAG = re.compile(r"\s*(<[^>]*>)\s*")


def one_line(page):
    """The page on one line, without blanks beside its tags."""
    if isinstance(page, bytes):
        page = page.decode()
    page = TAG.sub(lambda match: re.sub(r"\s+>$", ">", match[1]), page)
    return re.sub(r"\s+", " ", page)
