"""Corrections laid over the newest replies, and what those replies make of the corrections."""

from collections.abc import Iterable, Mapping

from jobs.db.bulk import Writes
from jobs.diagnosis.corrections import REPLY_FIELDS, standing, value_in_reply
from jobs.diagnosis.verdict import job_verdict
from jobs.ges.shapes import JobReply
from jobs.models import Correction
from jobs.record.runs import History


def corrected_verdict(corrections: Iterable[Correction]) -> str | None:
    """The verdict that a person set."""
    return next(
        (one.corrected for one in corrections if not one.kind and one.field == "verdict"), None
    )


def observed_value(
    reply: JobReply | None, kind: str, position: int | None, field: str
) -> str | None:
    """What the reply says where a correction stands, or what gesdash makes of it; without a reply nothing is known."""
    if reply is None:
        return None
    if field == "verdict" and not kind:
        return job_verdict(reply.status, reply.files).value
    return value_in_reply(reply, kind, position, field)


def tell_corrections(
    histories: Iterable[History], replies: Mapping[int, JobReply], writes: Writes
) -> None:
    """Keep beside each correction what GES says now, and flag those that it made needless or contradicts."""
    changed = []
    for history in histories:
        reply = replies.get(history.job.pk)
        for one in history.corrections:
            if reply is None or not (one.kind or one.field in (*REPLY_FIELDS, "verdict")):
                continue
            newest = observed_value(reply, one.kind, one.position, one.field)
            flag = standing(one.observed, newest, one.corrected)
            if (newest, flag) != (one.newest, one.flag):
                changed.append((one.pk, newest, flag))
    writes.update(Correction, ["id", "newest", "flag"], changed)
