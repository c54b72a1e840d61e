"""The evidence of some jobs as one zip: to be read by people, to be verified without gesdash. The same state, the same bytes."""

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

PIECE = 64 * 1024  # bytes gathered before they are packed


def evidence(jobs: JobQuerySet, most: int | None = None) -> Generator[bytes]:
    """The zip, piece by piece, in one transaction that only reads; memory does not grow with the jobs, but for their keys.

    Raises: gather.TooMuch before the first piece, where they are more than `most`.
    """
    with one_moment():
        found = chosen(jobs, most)
        with Archive() as archive:
            yield from _packed(archive, found)


def _packed(archive: Archive, found: Chosen) -> Iterator[bytes]:
    sealed, keys = SealedHead(found), found.keys
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
    for name, told in groupby(bodies(keys), itemgetter(0)):
        yield from archive.entry(name, (body + b"\n" for _, body in told))
    checkpoints = (_line(as_file(one)) for one in sealed.checkpoints)
    yield from archive.entry("checkpoints.jsonl", _gathered(checkpoints))
    yield from archive.entry("heads.jsonl", _gathered(_heads(sealed)))
    yield from archive.entry("verify.py", [Path(verify_bundle.__file__).read_bytes()])
    yield from archive.end()


def _gathered(texts: Iterable[str]) -> Iterator[bytes]:
    """In UTF-8, in larger pieces; half of a surrogate pair, which GES may send, as the escape it came as."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= PIECE:
            yield "".join(held).encode("utf-8", "backslashreplace")
            held, size = [], 0
    yield "".join(held).encode("utf-8", "backslashreplace")


def _lines(rows: Callable[[Case], Iterable[dict[str, Any]]], keys: Sequence[int]) -> Iterator[str]:
    return (_line(row) for case in cases(keys) for row in rows(case))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _ids(job: Job) -> dict[str, Any]:
    return {"project_id": job.project.project_id, "job_id": job.job_id}


def _decisions(case: Case) -> Iterator[dict[str, Any]]:
    """Corrections and reviews, each in the order of time."""
    for one in case.corrections:
        yield _ids(case.job) | {
            "what": "correction", "at": rfc3339(one.made_at), "actor": _name(one.actor), "kind": one.kind or None,
            "position": one.position, "field": one.field, "observed": one.observed, "corrected": one.corrected,
            "reason": one.reason, "reverted_at": rfc3339(one.reverted_at), "reverted_by": _name(one.reverted_by),
            "reverted_reason": one.reverted_reason,
        }  # fmt: skip
    for review in case.reviews:
        yield _ids(case.job) | {
            "what": "review", "at": rfc3339(review.made_at), "actor": _name(review.actor), "state": review.state,
            "reason": review.note or None, "fixed_by": review.fixed_by.job_id if review.fixed_by else None,
            "assignee": _name(review.assignee), "due_on": review.due_on.isoformat() if review.due_on else None,
        }  # fmt: skip


def _misses(case: Case) -> Iterator[dict[str, Any]]:
    for one in case.misses:
        yield _ids(case.job) | {
            "source": one.source, "kind": one.kind, "detail": one.detail, "http_status": one.http_status,
            "first_seen_at": rfc3339(one.first_seen_at), "last_seen_at": rfc3339(one.last_seen_at), "seen": one.seen,
        }  # fmt: skip


def _replies(case: Case) -> Iterator[dict[str, Any]]:
    """In the order of the chain, as `chain.forms` has it."""
    return (_ids(case.job) | _reply(run) for run in case.runs)


def _reply(run: EvidenceRun) -> dict[str, Any]:
    one = run.reply
    return {
        "number": one.number, "source": one.source, "version": one.version, "http_status": one.http_status,
        "content_type": one.content_type, "first_seen_at": moment(one.first_seen_at), "sha256": bytes(one.sha256).hex(),
        "link": bytes(one.link).hex(), "last_seen_at": moment(one.last_seen_at), "seen": one.seen, "file": run.file,
        "offset": run.offset, "size": run.size,
    }  # fmt: skip


def _heads(sealed: SealedHead) -> Iterator[str]:
    for job, proof in sealed.proofs():
        head = {
            "number": job.chain_length,
            "link": bytes(job.chain_link or bytes(32)).hex(),
            "sealed": proof,
        }
        yield _line(_ids(job) | head)


def _name(user: Any) -> str | None:
    return user.get_username() if user is not None else None
