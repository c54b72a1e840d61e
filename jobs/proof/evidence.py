"""The evidence of some jobs as one zip: to be read by people, to be verified without gesdash. The same state, the same bytes."""

import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.chain.forms import moment
from jobs.models.export import csv_cell, job_fields, job_object, rfc3339
from jobs.models.job import JobQuerySet
from jobs.proof import check_evidence
from jobs.proof.archive import Archive
from jobs.proof.gather import Case, Run, Sealed, as_of, bodies, cases, chosen, one_moment
from jobs.proof.kept import as_file
from jobs.proof.report import report

PIECE = 64 * 1024  # bytes gathered before they are packed


def evidence(jobs: JobQuerySet) -> Generator[bytes]:
    """The zip, piece by piece, in one transaction that only reads.

    Raises: gather.TooMuch before the first piece.
    """
    with one_moment():
        keys = chosen(jobs)
        with Archive() as archive:
            yield from _packed(archive, keys)


def _packed(archive: Archive, keys: Sequence[int]) -> Iterator[bytes]:
    sealed = Sealed(keys)
    yield from archive.entry("report.html", _gathered(report(keys, sealed.checkpoints, as_of(keys))))
    yield from archive.entry("jobs.csv", _gathered(_csv(keys)))
    for name, rows in (
        ("jobs.jsonl", _job),
        ("decisions.jsonl", _decisions),
        ("misses.jsonl", _misses),
        ("replies.jsonl", _replies),
    ):
        yield from archive.entry(name, _gathered(_lines(rows, keys)))
    for name, body in bodies(keys):
        yield from archive.entry(name, [body])
    checkpoints = (json.dumps(as_file(one), ensure_ascii=False) + "\n" for one in sealed.checkpoints)
    yield from archive.entry("checkpoints.jsonl", _gathered(checkpoints))
    yield from archive.entry("heads.jsonl", _gathered(_heads(sealed)))
    yield from archive.entry("verify.py", [Path(check_evidence.__file__).read_bytes()])
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
    return (json.dumps(row, ensure_ascii=False) + "\n" for case in cases(keys) for row in rows(case))


def _csv(keys: Sequence[int]) -> Iterator[str]:
    writer: Any = None
    for case in cases(keys):
        row = {key: csv_cell(value) for key, value in job_fields(case.job).items()}
        line = io.StringIO()
        is_first, writer = writer is None, csv.DictWriter(line, list(row))
        if is_first:
            writer.writeheader()
        writer.writerow(row)
        yield line.getvalue()


def _job(case: Case) -> Iterator[dict[str, Any]]:
    yield job_object(case.job)


def _ids(case: Case) -> dict[str, Any]:
    return {"project_id": case.job.project.project_id, "job_id": case.job.job_id}


def _decisions(case: Case) -> Iterator[dict[str, Any]]:
    """Corrections and reviews, each in the order of time."""
    for one in case.corrections:
        yield _ids(case) | {
            "what": "correction", "at": rfc3339(one.made_at), "actor": _name(one.actor), "kind": one.kind or None,
            "position": one.position, "field": one.field, "observed": one.observed, "corrected": one.corrected,
            "reason": one.reason, "reverted_at": rfc3339(one.reverted_at), "reverted_by": _name(one.reverted_by),
            "reverted_reason": one.reverted_reason,
        }  # fmt: skip
    for review in case.reviews:
        yield _ids(case) | {
            "what": "review", "at": rfc3339(review.made_at), "actor": _name(review.actor), "state": review.state,
            "reason": review.note or None, "fixed_by": review.fixed_by.job_id if review.fixed_by else None,
            "assignee": _name(review.assignee), "due_on": review.due_on.isoformat() if review.due_on else None,
        }  # fmt: skip


def _misses(case: Case) -> Iterator[dict[str, Any]]:
    for one in case.misses:
        yield _ids(case) | {
            "source": one.source, "kind": one.kind, "detail": one.detail, "http_status": one.http_status,
            "first_seen_at": rfc3339(one.first_seen_at), "last_seen_at": rfc3339(one.last_seen_at), "seen": one.seen,
        }  # fmt: skip


def _replies(case: Case) -> Iterator[dict[str, Any]]:
    """In the order of the chain, as `chain.forms` has it."""
    return (_ids(case) | _reply(run) for run in case.runs)


def _reply(run: Run) -> dict[str, Any]:
    one = run.reply
    return {
        "number": one.number, "source": one.source, "version": one.version, "http_status": one.http_status,
        "content_type": one.content_type, "first_seen_at": moment(one.first_seen_at), "sha256": bytes(one.sha256).hex(),
        "link": bytes(one.link).hex(), "last_seen_at": moment(one.last_seen_at), "seen": one.seen, "file": run.file,
    }  # fmt: skip


def _heads(sealed: Sealed) -> Iterator[str]:
    for case, proof in sealed.proofs():
        head = {"number": case.job.chain_length, "link": bytes(case.job.chain_link or bytes(32)).hex(), "sealed": proof}
        yield json.dumps(_ids(case) | head, ensure_ascii=False) + "\n"


def _name(user: Any) -> str | None:
    return user.get_username() if user is not None else None
