"""Bodies of responses, formatted for reading."""

import json
from contextlib import suppress

from django.utils.translation import gettext as _

MAX_CHARACTERS_SHOWN = 200_000  # a browser can still scroll them


def readable(body: bytes) -> str:
    """JSON with indents, anything else as text."""
    text = body.decode("utf-8-sig", "replace")
    with suppress(ValueError, RecursionError):  # an HTML page or JSON cut short stays as it is
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    if len(text) <= MAX_CHARACTERS_SHOWN:
        return text
    more = _("… %(count)d more characters") % {"count": len(text) - MAX_CHARACTERS_SHOWN}
    return f"{text[:MAX_CHARACTERS_SHOWN]}\n{more}"
