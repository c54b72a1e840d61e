"""GES's status words: both spellings, any case, an open set.

Source: GES API Reference, Querying Job Status (v1, v2), every edition since 2018.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """gesdash's own status, from GES's status word and the files together."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended; an undocumented word is never final."""
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
    """The meaning of GES's status word for a job or a file; UNKNOWN for an undocumented word."""
    return _MEANING.get(word.strip().lower(), Verdict.UNKNOWN)
