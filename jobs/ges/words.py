"""GES's status words: both spellings, any case, an open set.

Source: GES API Reference, Querying Job Status (v1, v2), every edition since 2018.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What gesdash makes of GES's word and of the files below it."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether GES will say nothing more; an unknown word is never final."""
        return self in FINAL


FINAL = frozenset({Verdict.SUCCESS, Verdict.PARTIAL, Verdict.FAILED, Verdict.CANCELLED})

_MEANING = {
    "pending": Verdict.PENDING,
    "waiting": Verdict.PENDING,
    "running": Verdict.RUNNING,
    "success": Verdict.SUCCESS,
    "complete": Verdict.SUCCESS,
    "partiallyfailed": Verdict.PARTIAL,
    "partfailed": Verdict.PARTIAL,
    "failed": Verdict.FAILED,
    "cancelled": Verdict.CANCELLED,
}

#: The words its documentation lists, of jobs and of files, in lower case.
WORDS = tuple(_MEANING)


def meaning(word: str) -> Verdict:
    """What one of GES's words says, of a job or of a file; UNKNOWN for a word its documentation does not list."""
    return _MEANING.get(word.strip().lower(), Verdict.UNKNOWN)
