"""Decides which replies of a job are redundant, from their content alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.diagnosis.verdict import job_verdict
from jobs.ges.shapes import JobReply
from jobs.models.reply import Source

type Word = tuple[object, ...]  # GES's status, reason and times


@dataclass(frozen=True, slots=True)
class ReplyContent:
    """The content of a reply that retention compares.

    `word` is of the job, `files` a digest of the files; None if the reply has no such content.
    """

    id: int
    source: str
    version: int
    last_seen_at: datetime
    word: Word | None
    files: bytes | None


def content_of(
    id_: int, source: str, version: int, last_seen_at: datetime, reply: JobReply | None
) -> ReplyContent:
    """The content of a reply; `reply` is None if it can't be parsed.

    An item of a job list without files has no content about files.
    """
    if reply is None:
        return ReplyContent(id_, source, version, last_seen_at, None, None)
    counts = [
        (
            file.kind,
            file.position,
            file.path,
            file.status,
            file.total_lines,
            file.failed_lines,
            file.successful_lines,
        )
        for file in reply.files
    ]
    file_content = repr((job_verdict(reply.status, reply.files).value, counts))
    word = (reply.status, reply.fail_reason, reply.begin_time, reply.end_time)
    files = (
        None
        if source == Source.LIST and not reply.files
        else hashlib.sha256(file_content.encode("utf-8", "replace")).digest()
    )
    return ReplyContent(id_, source, version, last_seen_at, word, files)


def redundant(replies: Sequence[ReplyContent], *, keep_changes: bool) -> list[ReplyContent]:
    """The replies that may be removed, of all replies of a job in the order they were first seen.

    Always kept: the first, the newest, the newest of each version and of the job lists (what the
    proxy answers with), and those that can't be parsed. `keep_changes`: also each with another
    status, verdict, reason, time, file's status or count than the reply before it; progress is no
    change, nor is the same content from another source.
    """
    newest: dict[object, ReplyContent] = {}
    for reply in replies:
        for key in ("any", (reply.version, reply.source == Source.LIST)):
            if key not in newest or (reply.last_seen_at, reply.id) > (
                newest[key].last_seen_at,
                newest[key].id,
            ):
                newest[key] = reply
    kept = {reply.id for reply in (*replies[:1], *newest.values())}

    word, files = None, None
    removable = []
    for reply in replies:
        is_change = reply.word != word or (reply.files is not None and reply.files != files)
        if reply.id not in kept and reply.word is not None and not (keep_changes and is_change):
            removable.append(reply)
        word = reply.word or word
        files = files if reply.files is None else reply.files
    return removable
