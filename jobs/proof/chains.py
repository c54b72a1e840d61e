"""Verifies the hash chains of jobs: bodies, facts, links, order and heads, from the stored rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from jobs.chain.forms import START, ReplyFacts, link
from jobs.db.streaming import streamed
from jobs.models import Job
from jobs.proof.walk import Walk
from jobs.sentences import gettext_noop

# Bodies are hashed where they are; a tombstone stands where a reply was.
_RUNS = """
SELECT job_id, number, id, source, version, http_status, content_type,
       first_seen_at, last_seen_at, seen, sha256, link,
       sha256(body) FROM jobs_snapshot WHERE job_id = ANY(%(jobs)s)
UNION ALL
SELECT job_id, number, id, source, version, http_status, content_type,
       first_seen_at, last_seen_at, seen, sha256, link,
       NULL FROM jobs_tombstone WHERE job_id = ANY(%(jobs)s)
ORDER BY 1, 2, 3
"""


class ChainedReply(NamedTuple):
    """A stored reply without its body, or what is left of a removed one."""

    job: int
    number: int
    id: int
    source: str
    version: int
    http_status: int
    content_type: str
    first_seen_at: datetime
    last_seen_at: datetime
    seen: int
    sha256: bytes
    link: bytes
    body_sha256: bytes | None


def check_chains(jobs: Mapping[int, Job], walk: Walk) -> set[int]:
    """Verify the chains of these locked jobs; the first invalid row of each is a fault.

    Gives the keys of the jobs whose chain is invalid.
    """
    invalid = set()
    rows = map(ChainedReply._make, streamed(_RUNS, {"jobs": list(jobs)}))
    walked = set()
    for pk, runs in groupby(rows, key=lambda run: run.job):
        walked.add(pk)
        if not _check(jobs[pk], runs, walk):
            invalid.add(pk)

    for pk in sorted(jobs.keys() - walked):
        if not _check(jobs[pk], [], walk):
            invalid.add(pk)
    return invalid


def _check(job: Job, runs: Iterable[ChainedReply], walk: Walk) -> bool:
    previous_link, number = START, 0
    fault_count = walk.faults
    for run in runs:
        walk.tombstones += run.body_sha256 is None
        walk.replies += run.body_sha256 is not None
        if walk.faults == fault_count:
            _check_run(job, run, number + 1, previous_link, walk)
        previous_link, number = run.link, run.number

    if walk.faults == fault_count and (number, previous_link) != (
        job.chain_length,
        bytes(job.chain_link or START),
    ):
        walk.fault(
            gettext_noop(
                "Project {project}, job {job}: the chain ends with response number "
                "{number}, link {link}; expected number {expected}, link {head}."
            ),
            **_job_ids(job),
            number=number,
            link=previous_link.hex(),
            expected=job.chain_length,
            head=bytes(job.chain_link or b"").hex(),
        )
    return walk.faults == fault_count


def _check_run(
    job: Job, run: ChainedReply, expected: int, previous_link: bytes, walk: Walk
) -> None:
    row = _job_ids(job) | {"reply": str(run.id)}
    if run.number != expected:
        walk.fault(
            gettext_noop(
                "Project {project}, job {job}, response {reply}: its number is {number}; "
                "expected {expected}, which is missing or duplicated."
            ),
            **row,
            number=run.number,
            expected=expected,
        )
    elif run.body_sha256 is not None and run.body_sha256 != run.sha256:
        walk.fault(
            gettext_noop(
                "Project {project}, job {job}, response {reply}: the SHA-256 of its body "
                "is {found}; expected {expected}."
            ),
            **row,
            found=run.body_sha256.hex(),
            expected=run.sha256.hex(),
        )
    elif (computed := link(previous_link, _facts(job, run))) != run.link:
        walk.fault(
            gettext_noop(
                "Project {project}, job {job}, response {reply}: its link is {found}; "
                "expected {expected} from its content and the previous link."
            ),
            **row,
            found=run.link.hex(),
            expected=computed.hex(),
        )
    elif (run.seen == 1) != (run.last_seen_at == run.first_seen_at):
        walk.fault(
            gettext_noop(
                "Project {project}, job {job}, response {reply}: it was seen {seen} "
                "times from {first} to {last}, which is inconsistent."
            ),
            **row,
            seen=run.seen,
            first=run.first_seen_at.isoformat(),
            last=run.last_seen_at.isoformat(),
        )


def _facts(job: Job, run: ChainedReply) -> ReplyFacts:
    return ReplyFacts(
        job.project.project_id,
        job.job_id,
        run.number,
        run.source,
        run.version,
        run.http_status,
        run.content_type,
        run.first_seen_at,
        run.sha256,
    )


def _job_ids(job: Job) -> dict[str, str]:
    return {"project": job.project.project_id, "job": job.job_id}
