"""Which replies of a job say nothing new: decided from what they say, without asking anybody."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.diagnosis.verdict import job_verdict
from jobs.ges.shapes import JobReply
from jobs.models.reply import Source

type Word = tuple[object, ...]  # GES's word and reason, and its times


@dataclass(frozen=True, slots=True)
class ReplyContent:
    """A reply as retention sees it: what it says of the job, and a digest of what it says of the files; None where nothing."""

    id: int
    source: str
    version: int
    last_seen_at: datetime
    word: Word | None
    files: bytes | None


def told(
    id_: int, source: str, version: int, last_seen_at: datetime, reply: JobReply | None
) -> ReplyContent:
    """An item of a job list that has no files says nothing of them; a reply that can't be read says nothing at all."""
    if reply is None:
        return ReplyContent(id_, source, version, last_seen_at, None, None)
    counts = [
        (f.kind, f.position, f.path, f.status, f.total_lines, f.failed_lines, f.successful_lines)
        for f in reply.files
    ]
    says = repr((job_verdict(reply.status, reply.files).value, counts))
    word = (reply.status, reply.fail_reason, reply.begin_time, reply.end_time)
    files = (
        None
        if source == Source.LIST and not reply.files
        else hashlib.sha256(says.encode("utf-8", "replace")).digest()
    )
    return ReplyContent(id_, source, version, last_seen_at, word, files)


def redundant(replies: Sequence[ReplyContent], *, keep_changes: bool) -> list[ReplyContent]:
    """Those that may go, of all replies of a job in the order they were first seen.

    What always stays: the first, the newest, the newest of each version and of the job lists (what the proxy answers with),
    and what can't be read. `keep_changes`: also each that says another word, verdict, reason, time, file's status or count than
    what stood before it; a progress is no change, nor is another door telling the same.
    """
    newest: dict[object, ReplyContent] = {}
    for one in replies:
        for key in ("any", (one.version, one.source == Source.LIST)):
            if key not in newest or (one.last_seen_at, one.id) > (
                newest[key].last_seen_at,
                newest[key].id,
            ):
                newest[key] = one
    kept = {one.id for one in (*replies[:1], *newest.values())}
    word, files, gone = None, None, []
    for one in replies:
        is_change = one.word != word or (one.files is not None and one.files != files)
        if one.id not in kept and one.word is not None and not (keep_changes and is_change):
            gone.append(one)
        word = one.word or word
        files = files if one.files is None else one.files
    return gone
