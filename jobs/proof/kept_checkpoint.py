"""A checkpoint kept outside of gesdash: written as a small file, read again, and verified."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jobs.chain.forms import CheckpointForm, checkpoint_digest, moment
from jobs.models import Checkpoint, Project
from jobs.proof.verify import check_root
from jobs.proof.walk import Walk
from jobs.sentences import gettext_noop


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint from a file; `digest` is the one in the file, which may not fit."""

    sealed: CheckpointForm
    digest: bytes


def as_file(checkpoint: Checkpoint) -> dict[str, Any]:
    """The checkpoint as a JSON object to keep outside; `read_file` reads it."""
    return {
        "gesdash": "checkpoint 1",
        "project_id": checkpoint.project.project_id,
        "number": checkpoint.number,
        "sealed_at": moment(checkpoint.sealed_at),
        "up_to": checkpoint.up_to,
        "jobs": checkpoint.jobs,
        "replies": checkpoint.replies,
        "root": bytes(checkpoint.root).hex(),
        "before": bytes(checkpoint.before).hex(),
        "digest": bytes(checkpoint.digest).hex(),
    }


def read_file(data: Any) -> Kept:
    """Read a checkpoint that `as_file` made.

    Raises: ValueError with a sentence that names the field.
    """
    if not isinstance(data, dict) or data.get("gesdash") != "checkpoint 1":
        raise ValueError(
            'expected an object with "gesdash": "checkpoint 1", as the page of proof gives it'
        )
    hashes = {name: _hash(data, name) for name in ("root", "before", "digest")}
    number, up_to, jobs, replies = (
        _count(data, name) for name in ("number", "up_to", "jobs", "replies")
    )

    try:
        sealed_at = datetime.fromisoformat(str(data.get("sealed_at"))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            "sealed_at: expected a time such as 2026-01-31T08:15:00Z, "
            f"got {data.get('sealed_at')!r:.80}"
        ) from error

    sealed = CheckpointForm(
        hashes["before"],
        str(data.get("project_id")),
        number,
        sealed_at,
        up_to,
        jobs,
        replies,
        hashes["root"],
    )
    return Kept(sealed, hashes["digest"])


def _hash(data: dict[str, Any], name: str) -> bytes:
    try:
        value = bytes.fromhex(data.get(name, ""))
    except (TypeError, ValueError):
        value = b""
    if len(value) != 32:
        raise ValueError(f"{name}: expected 64 hex digits, got {data.get(name)!r:.80}")
    return value


def _count(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name}: expected a whole number, got {value!r:.80}")
    return value


def check_kept(project: Project, kept: Kept, walk: Walk) -> None:
    """Verify that the stored checkpoint and the stored replies fit the one kept outside."""
    where: dict[str, str | int] = {"project": project.project_id, "number": kept.sealed.number}
    computed = checkpoint_digest(kept.sealed)
    if computed != kept.digest:
        walk.fault(
            gettext_noop(
                "Project {project}, external copy of checkpoint {number}: its digest is "
                "{found}; expected {expected} from its content."
            ),
            **where,
            found=kept.digest.hex(),
            expected=computed.hex(),
        )
        return

    stored = project.checkpoints.filter(number=kept.sealed.number).first()
    if stored is None:
        walk.fault(
            gettext_noop(
                "Project {project}: checkpoint {number}, of which an external copy "
                "exists, is missing."
            ),
            **where,
        )
    elif bytes(stored.digest) != kept.digest:
        walk.fault(
            gettext_noop(
                "Project {project}, checkpoint {number}: its digest is {found}; expected "
                "{expected} as in the external copy."
            ),
            **where,
            found=bytes(stored.digest).hex(),
            expected=kept.digest.hex(),
        )

    check_root(project, kept.sealed, walk)
