"""Values and reasons of corrections, checked."""

from django.utils.translation import gettext as _

from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text, read_value
from jobs.ges.words import WORDS, Verdict, meaning
from jobs.sentences import Sentence

MAX_REASON = 10_000  # characters
MAX_KEY_DIGITS = 18  # 19 may be over 64 bits


def check_reason(reason: str) -> str:
    """The reason without blanks around it.

    Raises: ValueError with a sentence when there is none, or too long a one.
    """
    reason = reason.replace("\x00", "").strip()
    if not reason:
        raise ValueError(_("A reason is required."))
    if len(reason) > MAX_REASON:
        values = {"count": f"{len(reason):,}", "most": f"{MAX_REASON:,}"}
        raise ValueError(
            _("The reason has %(count)s characters; expected at most %(most)s.") % values
        )
    return reason


def check_value(field: str, corrected: str | None, kind: str = "") -> str | None:
    """The text as it is stored; `kind` is the file's, empty for the job itself.

    Raises: ValueError with a sentence in the reader's language when it is no value of the field.
    """
    if field not in (FILE_FIELDS if kind else JOB_FIELDS):
        raise ValueError(_("%(field)s can't be corrected.") % {"field": repr(field)})
    return check_known_value(field, corrected)


def check_known_value(field: str, corrected: str | None) -> str | None:
    """`check_value` for a field that can be corrected.

    Raises: ValueError with a sentence.
    """
    try:
        value = read_value(field, corrected)
    except ValueError as error:
        sentence: Sentence = error.args[0]
        raise ValueError(sentence.fill(_(sentence.text))) from error
    text = str(value)
    if field == "status" and meaning(text) == Verdict.UNKNOWN:
        raise ValueError(
            _("“%(value)s” is not a GES status; expected one of %(words)s.")
            % {"value": text[:60], "words": ", ".join(WORDS)}
        )
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_KEY_DIGITS
    if field == "graph" and not is_number:
        raise ValueError(_("“%(value)s” is not a valid graph number.") % {"value": text[:60]})
    return as_text(value)
