"""Corrections of observed values: made and undone, never deleted; of many all are made or none."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from jobs.db.bulk import Writes
from jobs.decisions.graphs import revert_graph
from jobs.decisions.values import check_reason, check_value
from jobs.diagnosis.corrections import OWN_FIELDS, as_text
from jobs.ges.shapes import JobReply
from jobs.models import Correction, Graph, ImportFile, Job
from jobs.record.graphs import move_jobs, set_hidden
from jobs.record.lookup import hold_jobs
from jobs.record.overlay import observed_value
from jobs.record.projection import Basis, project
from jobs.record.recorder import histories_of, stored_basis
from jobs.record.runs import History
from jobs.record.stored import read_overlay


class Place(NamedTuple):
    """A value that can be corrected: of a job, or of one of its files."""

    job: int
    kind: str  # the file's, empty for the job itself
    position: int | None
    field: str

    @property
    def is_own(self) -> bool:
        """Whether it is a column of the job that a rebuild leaves alone."""
        return not self.kind and self.field in OWN_FIELDS


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """One value to correct: of a job, or of one of its files (`kind` and `position`)."""

    job: Job
    field: str
    corrected: str | None
    kind: str = ""
    position: int | None = None

    @property
    def place(self) -> Place:
        """Where the value is."""
        return Place(self.job.pk, self.kind, self.position, self.field)


def correct(
    job: Job,
    *,
    kind: str,
    position: int | None,
    field: str,
    corrected: str | None,
    reason: str,
    actor: User,
    now: datetime,
) -> Correction:
    """Put a person's value over an observed one. It undoes a standing correction of the same place.

    Raises: ValueError with a sentence when the field, the value or the reason is invalid.
    """
    change = NewCorrection(job, field, corrected, kind, position)
    [correction] = correct_all([change], reason=reason, actor=actor, now=now)
    job.refresh_from_db()
    return correction


@transaction.atomic
def correct_all(
    changes: Sequence[NewCorrection], *, reason: str, actor: User, now: datetime
) -> list[Correction]:
    """Make corrections of jobs and their files for one reason, in a constant number of queries.

    Raises: ValueError with a sentence that names the one that is invalid; none is made then.
    """
    reason = check_reason(reason)
    values = {
        change.place: check_value(change.field, change.corrected, change.kind) for change in changes
    }
    if len(values) != len(changes):
        raise ValueError(_("The same value is corrected twice."))
    histories, basis = _hold([place.job for place in values], now)
    jobs = {history.job.pk: history.job for history in histories}
    _check_files(values)
    _check_graphs(values, jobs)

    observed_before = _undo(values, jobs, reason, actor, now)
    corrections = []
    for place, corrected in values.items():
        observed = (
            observed_before[place]
            if place in observed_before
            else _observed(place, jobs[place.job], basis.replies)
        )
        corrections.append(
            Correction(
                job_id=place.job,
                kind=place.kind,
                position=place.position,
                field=place.field,
                observed=observed,
                newest=observed,
                corrected=corrected,
                reason=reason,
                actor=actor,
                made_at=now,
            )
        )
    Correction.objects.bulk_create(corrections)
    _set_own_columns(values, jobs)
    _project_again(histories, basis)
    return corrections


def _hold(pks: Collection[int], now: datetime) -> tuple[list[History], Basis]:
    """Lock jobs; their histories, and all that their rows are derived from."""
    hold_jobs(pks)
    # Contradictions stay as they are.
    histories = histories_of(pks, now=now, contradictions_since=now)
    return histories, stored_basis(histories)


def _project_again(histories: Sequence[History], basis: Basis) -> None:
    """Derive the rows of these locked jobs anew, under the corrections that stand now."""
    read_overlay(histories)
    writes = Writes()
    project(histories, basis, writes, anew=True)
    writes.run()


def _observed(place: Place, job: Job, replies: Mapping[int, JobReply]) -> str | None:
    if place.is_own:
        return as_text(job.graph_id if place.field == "graph" else job.is_hidden)
    return observed_value(replies.get(place.job), place.kind, place.position, place.field)


def _place_of(correction: Correction) -> Place:
    """Of a correction of a job."""
    return Place(correction.job_id or 0, correction.kind, correction.position, correction.field)


def _undo(
    places: Collection[Place], jobs: Mapping[int, Job], reason: str, actor: User, now: datetime
) -> dict[Place, str | None]:
    """Undo the corrections that stand at these places; GES's values of the jobs' own columns."""
    rows = Correction.objects.standing().filter(
        job__in={place.job for place in places}, field__in={place.field for place in places}
    )
    standing = [correction for correction in rows if _place_of(correction) in places]
    if standing:
        keys = [correction.pk for correction in standing]
        Correction.objects.filter(pk__in=keys).undo(reason, actor, now)

    observed = {
        place: correction.observed
        for correction in standing
        if (place := _place_of(correction)).is_own
    }
    _set_own_columns(observed, jobs)
    return observed


def _set_own_columns(values: Mapping[Place, str | None], jobs: Mapping[int, Job]) -> None:
    """Write the graphs and the hidden marks of jobs, a query for each value that differs."""
    by_value: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for place, value in values.items():
        if place.is_own:
            by_value[place.field, value].append(place.job)

    for (field, value), job_ids in by_value.items():
        if field == "graph":
            graph = int(value or 0)
            move_jobs(job_ids, graph)
            for job_id in job_ids:
                jobs[job_id].graph_id = graph
        else:
            is_hidden = value == "yes"
            set_hidden(job_ids, is_hidden)
            for job_id in job_ids:
                jobs[job_id].is_hidden = is_hidden


def _check_files(places: Collection[Place]) -> None:
    wanted = {(place.job, place.kind, place.position) for place in places if place.kind}
    if not wanted:
        return
    rows = ImportFile.objects.filter(
        job__in={job for job, _kind, _position in wanted},
        position__in={position for _job, _kind, position in wanted if position is not None},
    )
    if missing := wanted - set(rows.values_list("job", "kind", "position")):
        _job, kind, position = min(missing, key=str)
        raise ValueError(
            _("The job has no %(kind)s file at position %(position)s.")
            % {"kind": kind, "position": position}
        )


def _check_graphs(values: Mapping[Place, str | None], jobs: Mapping[int, Job]) -> None:
    """A job goes to a graph of its own project."""
    graph_ids = {
        place.job: int(value or 0)
        for place, value in values.items()
        if place.field == "graph" and place.is_own
    }
    if not graph_ids:
        return
    graphs = Graph.objects.filter(pk__in=graph_ids.values())
    projects = dict(graphs.values_list("pk", "project_id"))
    for job_id, graph_id in graph_ids.items():
        job = jobs[job_id]
        if projects.get(graph_id) != job.project_id:
            raise ValueError(
                _("Job %(job)s can only be moved to a graph of its own project.")
                % {"job": job.job_id}
            )


@transaction.atomic
def revert_all(
    corrections: Sequence[Correction], *, reason: str, actor: User, now: datetime
) -> int:
    """Undo those of these corrections that stand; how many did. They stay on record.

    Raises: ValueError with a sentence when there is no reason.
    """
    reason = check_reason(reason)
    job_ids = [correction.job_id for correction in corrections if correction.job_id is not None]
    histories, basis = _hold(job_ids, now)
    jobs = {history.job.pk: history.job for history in histories}

    keys = [correction.pk for correction in corrections]
    standing = list(Correction.objects.standing().filter(pk__in=keys))
    of_jobs = {_place_of(correction) for correction in standing if correction.job_id is not None}
    _undo(of_jobs, jobs, reason, actor, now)
    _project_again(histories, basis)
    for correction in standing:
        if correction.graph_id is not None:
            revert_graph(correction, reason=reason, actor=actor, now=now)
    return len(standing)


def revert(correction: Correction, *, reason: str, actor: User, now: datetime) -> None:
    """Undo one correction.

    Raises: ValueError with a sentence when it was undone before, or there is no reason.
    """
    if not revert_all([correction], reason=reason, actor=actor, now=now):
        raise ValueError(_("This correction has already been undone."))
