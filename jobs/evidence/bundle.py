"""The evidence of some jobs as one zip, to read and to verify without gesdash.

The same state gives the same bytes.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from jobs.chain.forms import moment
from jobs.evidence import verify_bundle
from jobs.evidence.archive import Archive
from jobs.evidence.gather import (
    Case,
    Chosen,
    EvidenceRun,
    SealedHead,
    as_of,
    bodies,
    cases,
    chosen,
    jobs_of,
    one_moment,
)
from jobs.evidence.report import report
from jobs.export.csv_lines import csv_lines
from jobs.export.job import JOB_COLUMNS, job_fields, job_object, rfc3339
from jobs.models import Job
from jobs.models.job import JobQuerySet
from jobs.proof.kept_checkpoint import as_file

PIECE_CHARACTERS = 64 * 1024  # gathered before they are packed


def evidence(jobs: JobQuerySet, most: int | None = None) -> Generator[bytes]:
    """The zip, piece by piece, in one read-only transaction.

    Memory does not grow with the jobs, but for their keys.

    Raises: gather.TooMuch before the first piece, if there are more than `most` jobs.
    """
    with one_moment():
        selection = chosen(jobs, most)
        with Archive() as archive:
            yield from _packed(archive, selection)


def _packed(archive: Archive, selection: Chosen) -> Iterator[bytes]:
    sealed = SealedHead(selection)
    keys = selection.keys
    yield from archive.entry(
        "report.html", _gathered(report(keys, sealed.checkpoints, as_of(keys)))
    )
    yield from archive.entry(
        "jobs.csv", _gathered(csv_lines(JOB_COLUMNS, map(job_fields, jobs_of(keys, whole=True))))
    )
    yield from archive.entry(
        "jobs.jsonl", _gathered(_line(job_object(job)) for job in jobs_of(keys, whole=True))
    )
    for name, rows in (
        ("decisions.jsonl", _decisions),
        ("misses.jsonl", _misses),
        ("replies.jsonl", _replies),
    ):
        yield from archive.entry(name, _gathered(_lines(rows, keys)))
    for name, named_bodies in groupby(bodies(keys), itemgetter(0)):
        yield from archive.entry(name, (body + b"\n" for _, body in named_bodies))

    checkpoints = (_line(as_file(checkpoint)) for checkpoint in sealed.checkpoints)
    yield from archive.entry("checkpoints.jsonl", _gathered(checkpoints))
    yield from archive.entry("heads.jsonl", _gathered(_heads(sealed)))
    yield from archive.entry("verify.py", [Path(verify_bundle.__file__).read_bytes()])
    yield from archive.end()


def _gathered(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts in UTF-8, in larger pieces.

    Half of a surrogate pair, which GES may send, is written as the escape it came as.
    """
    pending: list[str] = []
    size = 0
    for text in texts:
        pending.append(text)
        size += len(text)
        if size >= PIECE_CHARACTERS:
            yield "".join(pending).encode("utf-8", "backslashreplace")
            pending, size = [], 0
    yield "".join(pending).encode("utf-8", "backslashreplace")


def _lines(rows: Callable[[Case], Iterable[dict[str, Any]]], keys: Sequence[int]) -> Iterator[str]:
    return (_line(row) for case in cases(keys) for row in rows(case))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _ids(job: Job) -> dict[str, Any]:
    return {"project_id": job.project.project_id, "job_id": job.job_id}


def _decisions(case: Case) -> Iterator[dict[str, Any]]:
    """The corrections, then the reviews, each by time."""
    for correction in case.corrections:
        yield _ids(case.job) | {
            "what": "correction",
            "at": rfc3339(correction.made_at),
            "actor": _username(correction.actor),
            "kind": correction.kind or None,
            "position": correction.position,
            "field": correction.field,
            "observed": correction.observed,
            "corrected": correction.corrected,
            "reason": correction.reason,
            "reverted_at": rfc3339(correction.reverted_at),
            "reverted_by": _username(correction.reverted_by),
            "reverted_reason": correction.reverted_reason,
        }
    for review in case.reviews:
        yield _ids(case.job) | {
            "what": "review",
            "at": rfc3339(review.made_at),
            "actor": _username(review.actor),
            "state": review.state,
            "reason": review.note or None,
            "fixed_by": review.fixed_by.job_id if review.fixed_by else None,
            "assignee": _username(review.assignee),
            "due_on": review.due_on.isoformat() if review.due_on else None,
        }


def _misses(case: Case) -> Iterator[dict[str, Any]]:
    for miss in case.misses:
        yield _ids(case.job) | {
            "source": miss.source,
            "kind": miss.kind,
            "detail": miss.detail,
            "http_status": miss.http_status,
            "first_seen_at": rfc3339(miss.first_seen_at),
            "last_seen_at": rfc3339(miss.last_seen_at),
            "seen": miss.seen,
        }


def _replies(case: Case) -> Iterator[dict[str, Any]]:
    """In the order of the chain, with the fields that `chain.forms` hashes."""
    return (_ids(case.job) | _reply(run) for run in case.runs)


def _reply(run: EvidenceRun) -> dict[str, Any]:
    reply = run.reply
    return {
        "number": reply.number,
        "source": reply.source,
        "version": reply.version,
        "http_status": reply.http_status,
        "content_type": reply.content_type,
        "first_seen_at": moment(reply.first_seen_at),
        "sha256": bytes(reply.sha256).hex(),
        "link": bytes(reply.link).hex(),
        "last_seen_at": moment(reply.last_seen_at),
        "seen": reply.seen,
        "file": run.file,
        "offset": run.offset,
        "size": run.size,
    }


def _heads(sealed: SealedHead) -> Iterator[str]:
    for job, proof in sealed.proofs():
        head = {
            "number": job.chain_length,
            "link": bytes(job.chain_link or bytes(32)).hex(),
            "sealed": proof,
        }
        yield _line(_ids(job) | head)


def _username(user: Any) -> str | None:
    return user.get_username() if user is not None else None
