"""Corrections laid over the newest replies, and what those replies make of the corrections."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from jobs.diagnosis.corrections import REPLY_FIELDS, said_of, standing
from jobs.diagnosis.verdict import job_verdict
from jobs.ges.reply import JobReply
from jobs.models import Correction
from jobs.record.bulk import update_rows

type Corrections = Mapping[int, list[Correction]]  # by job


def standing_corrections(jobs: Collection[int]) -> Corrections:
    """Those of these jobs that are not undone."""
    found: dict[int, list[Correction]] = defaultdict(list)
    for one in Correction.objects.standing().filter(job__in=jobs).order_by("pk"):
        found[one.job_id or 0].append(one)
    return found


def verdict_over(corrections: Iterable[Correction]) -> str | None:
    """The verdict that a person set."""
    return next((one.corrected for one in corrections if not one.kind and one.field == "verdict"), None)


def observed_value(reply: JobReply | None, kind: str, position: int | None, field: str) -> str | None:
    """What the reply says where a correction stands, or what gesdash makes of it; without a reply nothing is known."""
    if reply is None:
        return None
    if field == "verdict" and not kind:
        return job_verdict(reply.status, reply.files).value
    return said_of(reply, kind, position, field)


def tell_corrections(corrections: Corrections, replies: Mapping[int, JobReply]) -> None:
    """Keep beside each correction what GES says now, and flag those that it made needless or contradicts."""
    changed = []
    for pk, of_job in corrections.items():
        for one in of_job:
            if pk not in replies or not (one.kind or one.field in (*REPLY_FIELDS, "verdict")):
                continue
            newest = observed_value(replies[pk], one.kind, one.position, one.field)
            flag = standing(one.observed, newest, one.corrected)
            if (newest, flag) != (one.newest, one.flag):
                changed.append((one.pk, newest, flag))
    update_rows(Correction, ["id", "newest", "flag"], sorted(changed))
