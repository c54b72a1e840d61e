"""A checkpoint kept outside: as a small file to download and print, and compared with what is stored."""

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
    """A checkpoint that was kept outside."""

    sealed: CheckpointForm
    digest: bytes


def as_file(one: Checkpoint) -> dict[str, Any]:
    """A checkpoint to be kept outside, as an object of JSON; `read_file` reads it."""
    return {
        "gesdash": "checkpoint 1",
        "project_id": one.project.project_id,
        "number": one.number,
        "sealed_at": moment(one.sealed_at),
        "up_to": one.up_to,
        "jobs": one.jobs,
        "replies": one.replies,
        "root": bytes(one.root).hex(),
        "before": bytes(one.before).hex(),
        "digest": bytes(one.digest).hex(),
    }


def read_file(said: Any) -> Kept:
    """A checkpoint as `as_file` made it. Raises: ValueError with a sentence that names the field."""
    if not isinstance(said, dict) or said.get("gesdash") != "checkpoint 1":
        raise ValueError(
            'expected an object with "gesdash": "checkpoint 1", as the page of proof gives it'
        )
    hashes = {name: _hash(said, name) for name in ("root", "before", "digest")}
    counts = [_count(said, name) for name in ("number", "up_to", "jobs", "replies")]
    try:
        sealed_at = datetime.fromisoformat(str(said.get("sealed_at"))).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise ValueError(
            f"sealed_at: expected a time such as 2026-01-31T08:15:00Z, got {said.get('sealed_at')!r:.80}"
        ) from wrong
    number, up_to, jobs, replies = counts
    sealed = CheckpointForm(
        hashes["before"],
        str(said.get("project_id")),
        number,
        sealed_at,
        up_to,
        jobs,
        replies,
        hashes["root"],
    )
    return Kept(sealed, hashes["digest"])


def _hash(said: dict[str, Any], name: str) -> bytes:
    try:
        value = bytes.fromhex(said.get(name, ""))
    except (TypeError, ValueError):
        value = b""
    if len(value) != 32:
        raise ValueError(f"{name}: expected 64 hex digits, got {said.get(name)!r:.80}")
    return value


def _count(said: dict[str, Any], name: str) -> int:
    value = said.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name}: expected a whole number, got {value!r:.80}")
    return value


def check_kept(project: Project, kept: Kept, walk: Walk) -> None:
    """Whether a checkpoint kept outside is still the one that is stored, and what the stored replies give."""
    where: dict[str, str | int] = {"project": project.project_id, "number": kept.sealed.number}
    made = checkpoint_digest(kept.sealed)
    if made != kept.digest:
        walk.fault(
            gettext_noop("Project {project}, external copy of checkpoint {number}: its digest is "
"{found}; expected {expected} from its content."),
            **where, found=kept.digest.hex(), expected=made.hex(),
        )  # fmt: skip
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
            gettext_noop("Project {project}, checkpoint {number}: its digest is {found}; expected "
"{expected} as in the external copy."),
            **where, found=bytes(stored.digest).hex(), expected=kept.digest.hex(),
        )  # fmt: skip
    check_root(project, kept.sealed, walk)
