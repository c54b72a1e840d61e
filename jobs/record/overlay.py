"""Corrections laid over the newest replies, and GES's newest values kept beside the corrections."""

from collections.abc import Iterable, Mapping

from jobs.db.bulk import Writes
from jobs.diagnosis.corrections import REPLY_FIELDS, standing, value_in_reply
from jobs.diagnosis.verdict import job_verdict
from jobs.ges.shapes import JobReply
from jobs.models import Correction
from jobs.record.runs import History


def corrected_verdict(corrections: Iterable[Correction]) -> str | None:
    """The verdict that a person set."""
    for correction in corrections:
        if correction.field == "verdict" and not correction.kind:
            return correction.corrected
    return None


def observed_value(
    reply: JobReply | None, kind: str, position: int | None, field: str
) -> str | None:
    """The value that the reply alone gives where a correction stands; None is unknown."""
    if reply is None:
        return None
    if field == "verdict" and not kind:
        return job_verdict(reply.status, reply.files).value
    return value_in_reply(reply, kind, position, field)


def note_beside_corrections(
    histories: Iterable[History], replies: Mapping[int, JobReply], writes: Writes
) -> None:
    """Keep GES's newest value beside each correction, and flag those that it affects.

    A correction becomes needless if GES gives the same value, contradicted if it gives a third.
    """
    rows = []
    for history in histories:
        reply = replies.get(history.job.pk)
        for correction in history.corrections:
            is_of_reply = correction.kind or correction.field in (*REPLY_FIELDS, "verdict")
            if reply is None or not is_of_reply:
                continue
            newest = observed_value(reply, correction.kind, correction.position, correction.field)
            flag = standing(correction.observed, newest, correction.corrected)
            if (newest, flag) != (correction.newest, correction.flag):
                rows.append((correction.pk, newest, flag))
    writes.update(Correction, ["id", "newest", "flag"], rows)
