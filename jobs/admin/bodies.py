"""A body, set out to be read."""

import json
from contextlib import suppress

from django.utils.translation import gettext as _

SHOWN_CHARACTERS = 200_000  # of a body; a browser can still scroll them


def readable(body: bytes) -> str:
    """JSON set out over lines, all else as text."""
    text = body.decode("utf-8-sig", "replace")
    with suppress(ValueError, RecursionError):  # an HTML page or JSON cut short is shown as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    more = _("… %(count)d more characters") % {"count": len(text) - SHOWN_CHARACTERS}
    return f"{text[:SHOWN_CHARACTERS]}\n{more}"
