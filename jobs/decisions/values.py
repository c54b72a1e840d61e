"""What a correction may say."""

from django.utils.translation import gettext as _

from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text, read_value
from jobs.ges.words import WORDS, Verdict, meaning
from jobs.sentences import Sentence

MAX_REASON = 10_000  # characters


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Raises: ValueError with a sentence when there is none."""
    reason = reason.replace("\x00", "").strip()
    if not reason:
        raise ValueError(_("A reason is required."))
    if len(reason) > MAX_REASON:
        said = {"count": f"{len(reason):,}", "most": f"{MAX_REASON:,}"}
        raise ValueError(
            _("The reason has %(count)s characters; expected at most %(most)s.") % said
        )
    return reason


def check_value(field: str, corrected: str | None, kind: str = "") -> str | None:
    """The text as it is kept; `kind` is the file's, empty for the job itself.

    Raises: ValueError with a sentence in the reader's language when it is no value of the field.
    """
    if field not in (FILE_FIELDS if kind else JOB_FIELDS):
        raise ValueError(_("%(field)s can't be corrected.") % {"field": repr(field)})
    return checked(field, corrected)


def checked(field: str, corrected: str | None) -> str | None:
    """The same for a field that is known. Raises: ValueError with a sentence."""
    try:
        read = read_value(field, corrected)
    except ValueError as wrong:
        said: Sentence = wrong.args[0]
        raise ValueError(said.fill(_(said.text))) from wrong
    if field == "status" and meaning(str(read)) == Verdict.UNKNOWN:
        expected = {"value": str(read)[:60], "words": ", ".join(WORDS)}
        raise ValueError(
            _("“%(value)s” is not a GES status; expected one of %(words)s.") % expected
        )
    if field == "graph" and not (
        str(read).isascii() and str(read).isdigit() and len(str(read)) < 19
    ):
        raise ValueError(_("“%(value)s” is not a valid graph number.") % {"value": str(read)[:60]})
    return as_text(read)
