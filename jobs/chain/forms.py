"""The forms that are hashed, byte for byte.

Each form is a JSON array in UTF-8 as Python's `json.dumps(form, ensure_ascii=False)` writes it.

**Link** of a reply, SHA-256 over the form

    ["gesdash link 1", link before, project_id, job_id, number, source, version, http_status,
     content_type, first_seen_at, sha256]

with the ids of GES; `number` counts a job's replies from 1 in the order they were recorded, which
need not be the order they were seen in; `first_seen_at` is in UTC to the microsecond, as
2026-03-04T12:00:00.000000Z; `sha256` is that of the body; links and digests are in lower-case hex.
The link before the first is 64 zeros.

"Last seen" and "how often" are no part of it: a poll's run and a program's go on side by side, and
old replies may be brought in later, so a run is never known to be closed.

**Head** of a job: its newest link. As a leaf of a Merkle tree (RFC 6962), SHA-256 over a zero byte
and the form

    ["gesdash head 1", job_id, number, link]

The leaves of a project stand in the order of their job ids' UTF-8 bytes.

**Checkpoint** of a project, SHA-256 over the form

    ["gesdash checkpoint 1", digest of the checkpoint before, project_id, number, sealed_at, up_to,
     jobs, replies, root]

`up_to` is the key of the newest reply that was stored; `jobs` and `replies` count what is under it,
`root` is that of the tree of the heads as they were then. The digest before the first is 64 zeros.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import NamedTuple

START = bytes(32)  # before the first link, and before the first checkpoint
_json_text = json.encoder.encode_basestring  # as json.dumps writes it with ensure_ascii=False
_encode = json.JSONEncoder(ensure_ascii=False).encode


class ReplyFacts(NamedTuple):
    """The facts of a reply that never change, by which it is chained."""

    project_id: str
    job_id: str
    number: int
    source: str
    version: int
    http_status: int
    content_type: str
    first_seen_at: datetime
    sha256: bytes


def link(before: bytes, facts: ReplyFacts) -> bytes:
    """The link of a reply that follows on `before`."""
    # By hand, since every reply that is recorded needs one: a third of what an encoder takes.
    form = (
        f'["gesdash link 1", "{before.hex()}", {_json_text(facts.project_id)},'
        f" {_json_text(facts.job_id)}, {facts.number}, {_json_text(facts.source)},"
        f" {facts.version}, {facts.http_status}, {_json_text(facts.content_type)},"
        f' "{moment(facts.first_seen_at)}", "{facts.sha256.hex()}"]'
    )
    return hashlib.sha256(form.encode()).digest()


def head_leaf(job_id: str, number: int, newest: bytes) -> bytes:
    """The leaf of a job whose newest link this is."""
    return hashlib.sha256(
        b"\x00" + _bytes(["gesdash head 1", job_id, number, newest.hex()])
    ).digest()


class CheckpointForm(NamedTuple):
    """The facts of a checkpoint, in the order in which they are hashed."""

    before: bytes
    project_id: str
    number: int
    sealed_at: datetime
    up_to: int
    jobs: int
    replies: int
    root: bytes


def checkpoint_digest(sealed: CheckpointForm) -> bytes:
    """The digest that is kept outside, and that the next checkpoint is chained to."""
    return _sha256(
        [
            "gesdash checkpoint 1",
            sealed.before.hex(),
            sealed.project_id,
            sealed.number,
            moment(sealed.sealed_at),
            sealed.up_to,
            sealed.jobs,
            sealed.replies,
            sealed.root.hex(),
        ]
    )


def moment(time: datetime) -> str:
    """In UTC, always to the microsecond."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")[:26] + "Z"


def _bytes(form: list[object]) -> bytes:
    return _encode(form).encode()


def _sha256(form: list[object]) -> bytes:
    return hashlib.sha256(_bytes(form)).digest()
