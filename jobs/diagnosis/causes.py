"""The fingerprint of a failure reason: the same when only the line, the vertex or the file differs.

`vertex [U17] of edge does not exist, line 3` and `vertex [U9] of edge does not exist, line 12` are
both `vertex ‹value› of edge does not exist, line ‹number›`.
"""

import hashlib
import re
from dataclasses import dataclass

MAX_TEXT = 2000

_APOSTROPHE = re.compile(r"(?<=[A-Za-z])'(?=[A-Za-z])")
_QUOTED = r"""'[^']*+'|"[^"]*+"|`[^`]*+`|\[[^\]]*+\]|「[^」]*+」|“[^”]*+”"""
_ASCII = r"\w.:/+\-*!%&=~@#?$\\^|"
_NAME = r"[^\s/.‹›'\"`\[\](){}<>,;「」“”]"
# The characters of words, numbers, times and paths, without a blank. Chinese has no blanks either:
# it belongs to a run only where slashes or an ending show it to be a folder or a file.
_FOLDERS = rf"(?:(?<=/)(?:{_NAME}|\.)++(?=/)[{_ASCII}]++)*+"
_FILE = rf"(?:(?<=/){_NAME}++\.[A-Za-z0-9]++)?+"
_RUN = rf"[{_ASCII}]++{_FOLDERS}{_FILE}"
_TOKEN = re.compile(rf"(?P<quoted>{_QUOTED})|{_RUN}", re.ASCII)

_DATE = r"\d{4}([-/.])\d{1,2}\3\d{1,2}"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?"
_PART = re.compile(
    r"(?P<code>(?<!\w)[A-Z]{2,8}\.\d{4}(?!\w))"
    rf"|(?P<time>(?<!\w)(?:{_DATE}(?:T{_CLOCK})?|{_CLOCK})(?:Z|[+-]\d\d:?\d\d)?(?!\w))"
    r"|(?P<id>[0-9A-Fa-f]{8,}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Za-z]{12,})"
    r"|(?P<number>\d++(?!\w))"
    r"|\w++",
    re.ASCII,
)
# Thousands, decimals, signs and a date beside its time came apart above.
_JOINED = [
    (re.compile(r"(?:(?<=\s)|^)[+-]‹number›"), "‹number›"),
    (re.compile(r"‹number›(?:[.,]‹number›)+"), "‹number›"),
    (re.compile(r"‹time›(?: ‹time›)+"), "‹time›"),
]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`pattern` is the text with placeholders.

    `digest` is in hex, the same for all texts of a pattern, whatever their case.
    """

    digest: str
    pattern: str


def fingerprint(text: str) -> Fingerprint:
    """The fingerprint of GES's text, with ‹id›, ‹number›, ‹time›, ‹path› and ‹value› in it.

    Error codes such as GES.7017 stay. Only the first 2,000 characters count. The pattern of a
    pattern is itself: the first pass leaves no digit but those of codes, and no quotation mark that
    has a partner.
    """
    folded = " ".join(text[:MAX_TEXT].split())
    plain = re.sub(r"\d", lambda digit: str(int(digit[0])), folded)
    pattern = _TOKEN.sub(_token, _APOSTROPHE.sub("’", plain))
    for parts, placeholder in _JOINED:
        pattern = parts.sub(placeholder, pattern)
    if len(pattern) > MAX_TEXT:
        # Neither half a placeholder nor half a code: it would be read as something else.
        pattern = re.sub(
            r"(?:‹\w*|(?<!\w)[A-Z]{2,8}\.\d{0,4})$", "", pattern[:MAX_TEXT], flags=re.ASCII
        ).rstrip()
    digest = hashlib.sha256(pattern.casefold().encode("utf-8", "surrogatepass")).hexdigest()
    return Fingerprint(digest, pattern)


def varying(text: str) -> list[str]:
    """The parts of GES's text for which its pattern has placeholders, in their order."""
    parts: list[str] = []
    for token in _TOKEN.finditer(_APOSTROPHE.sub("’", " ".join(text[:MAX_TEXT].split()))):
        path = token[0].rstrip(".:?!")
        if token["quoted"]:
            parts.append(token[0])
        elif _is_path(path):
            parts.append(path)
        else:
            parts += [part[0] for part in _PART.finditer(token[0]) if _part(part) != part[0]]
    return parts


def _token(token: re.Match[str]) -> str:
    if token["quoted"]:
        return "‹value›"
    path = token[0].rstrip(".:?!")
    return "‹path›" + token[0][len(path) :] if _is_path(path) else _PART.sub(_part, token[0])


def _is_path(run: str) -> bool:
    """Whether a run is a path or address, unlike "n/a", "lines/s", 1/5 or 2026/03/04."""
    if "/" not in run or not re.search("[A-Za-z]", run):
        return False
    return run.count("/") > 1 or re.search(r"[._\-\d]", run) is not None


def _part(part: re.Match[str]) -> str:
    if part.lastgroup in {"time", "id", "number"}:
        return f"‹{part.lastgroup}›"
    if part["code"] or not re.search(r"\d", part[0]):
        return part[0]
    return "‹id›"
