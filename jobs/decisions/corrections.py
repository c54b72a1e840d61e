"""A person's values over observed ones: laid, undone, never lost. Many at once are all made, or none."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

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
from jobs.record.projection import project
from jobs.record.recorder import histories_of, read_again
from jobs.record.runs import History
from jobs.record.stored import StoredFiles, read_over

type Place = tuple[int, str, int | None, str]  # job, kind, position, field


@dataclass(frozen=True, slots=True)
class NewCorrection:
    """One value to correct: of a job, or of one of its files (`kind` and `position`)."""

    of: Job
    field: str
    corrected: str | None
    kind: str = ""
    position: int | None = None

    @property
    def place(self) -> Place:
        """Where a job's value is."""
        return self.of.pk, self.kind, self.position, self.field


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
    """Lay a person's value over an observed one. A correction of the same place and field that stood is undone by it.

    Raises: ValueError with a sentence when the field, the value or the reason won't do.
    """
    change = NewCorrection(job, field, corrected, kind, position)
    [made] = correct_all([change], reason=reason, actor=actor, now=now)
    job.refresh_from_db()
    return made


@transaction.atomic
def correct_all(
    changes: Sequence[NewCorrection], *, reason: str, actor: User, now: datetime
) -> list[Correction]:
    """Make all of these corrections of jobs and their files for one reason, in a number of queries that doesn't grow.

    Raises: ValueError with a sentence that names the one that won't do; none is made then.
    """
    reason = check_reason(reason)
    values = [check_value(one.field, one.corrected, one.kind) for one in changes]
    if len({one.place for one in changes}) != len(changes):
        raise ValueError(_("The same value is corrected twice."))
    histories, replies, files = _held([one.of.pk for one in changes], now)
    rows = {history.job.pk: history.job for history in histories}
    _check_files(changes)
    _check_graphs(changes, values, rows)
    observed = _undo({one.place for one in changes}, rows, reason, actor, now)
    made = [
        Correction(
            job_id=one.of.pk, kind=one.kind, position=one.position, field=one.field, corrected=value, reason=reason,
            actor=actor, made_at=now, observed=(said := observed.get(one.place, _observed(one, rows[one.of.pk], replies))),
            newest=said,
        )
        for one, value in zip(changes, values, strict=True)
    ]  # fmt: skip
    Correction.objects.bulk_create(made)
    _set_own_columns({one.place: value for one, value in zip(changes, values, strict=True)}, rows)
    _project_again(histories, replies, files)
    return made


def _held(
    pks: Collection[int], now: datetime
) -> tuple[list[History], dict[int, JobReply], StoredFiles]:
    """What came of these jobs, locked, the newest reply of each, and their files."""
    hold_jobs(pks)
    histories = histories_of(pks, now=now, marks_since=now)  # odd replies stay as they are
    return histories, *read_again(histories)


def _project_again(
    histories: Sequence[History], replies: dict[int, JobReply], files: StoredFiles
) -> None:
    """Derive the rows of these locked jobs anew, by the corrections that stand now."""
    read_over(histories)
    writes = Writes()
    project(histories, replies, {}, files, writes, anew=True)
    writes.run()


def _observed(one: NewCorrection, row: Job, replies: dict[int, JobReply]) -> str | None:
    if not one.kind and one.field in OWN_FIELDS:
        return as_text(row.graph_id if one.field == "graph" else row.is_hidden)
    return observed_value(replies.get(one.of.pk), one.kind, one.position, one.field)


def _undo(
    places: Collection[Place], rows: dict[int, Job], reason: str, actor: User, now: datetime
) -> dict[Place, str | None]:
    """Undo what stands at these places; for columns that a rebuild leaves alone, what GES had said."""
    jobs = {place[0] for place in places}
    fields = {place[3] for place in places}
    found = [
        one
        for one in Correction.objects.standing().filter(job__in=jobs, field__in=fields)
        if (one.job_id, one.kind, one.position, one.field) in places
    ]
    if found:
        Correction.objects.filter(pk__in=[one.pk for one in found]).undo(reason, actor, now)
    own: dict[Place, str | None] = {
        (one.job_id or 0, one.kind, one.position, one.field): one.observed
        for one in found
        if not one.kind and one.field in OWN_FIELDS
    }
    _set_own_columns(own, rows)
    return own


def _set_own_columns(values: dict[Place, str | None], rows: dict[int, Job]) -> None:
    """Write the graphs and the marks of jobs, a query for each value that differs."""
    wanted: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    for (pk, kind, _position, field), value in values.items():
        if not kind and field in OWN_FIELDS:
            wanted[field, value].append(pk)
    for (field, value), pks in wanted.items():
        if field == "graph":
            graph = int(value or 0)
            move_jobs(pks, graph)
            for pk in pks:
                rows[pk].graph_id = graph
        else:
            is_hidden = value == "yes"
            set_hidden(pks, is_hidden)
            for pk in pks:
                rows[pk].is_hidden = is_hidden


def _check_files(changes: Sequence[NewCorrection]) -> None:
    wanted = {one.place[:3] for one in changes if one.kind}
    if not wanted:
        return
    jobs = {pk for pk, _kind, _position in wanted}
    places = {position for _pk, _kind, position in wanted}
    found = ImportFile.objects.filter(
        job__in=jobs, position__in=[at for at in places if at is not None]
    )
    if missing := wanted - set(found.values_list("job", "kind", "position")):
        _pk, kind, position = min(missing, key=str)
        raise ValueError(
            _("The job has no %(kind)s file at position %(position)s.")
            % {"kind": kind, "position": position}
        )


def _check_graphs(
    changes: Sequence[NewCorrection], values: Sequence[str | None], rows: dict[int, Job]
) -> None:
    """A job goes to a graph of its own project."""
    wanted = [
        (rows[one.of.pk], value)
        for one, value in zip(changes, values, strict=True)
        if one.field == "graph" and not one.kind
    ]
    known = (
        dict(
            Graph.objects.filter(pk__in=[value for _job, value in wanted]).values_list(
                "pk", "project_id"
            )
        )
        if wanted
        else {}
    )
    for job, value in wanted:
        if known.get(int(value or 0)) != job.project_id:
            raise ValueError(
                _("Job %(job)s can only be moved to a graph of its own project.")
                % {"job": job.job_id}
            )


@transaction.atomic
def revert_all(
    corrections: Sequence[Correction], *, reason: str, actor: User, now: datetime
) -> int:
    """Undo those of these corrections that stand: what was observed shows again, and they stay on record. How many did.

    Raises: ValueError with a sentence when there is no reason.
    """
    reason = check_reason(reason)
    histories, replies, files = _held(
        [one.job_id for one in corrections if one.job_id is not None], now
    )
    rows = {history.job.pk: history.job for history in histories}
    standing = list(Correction.objects.standing().filter(pk__in=[one.pk for one in corrections]))
    _undo(
        {(one.job_id or 0, one.kind, one.position, one.field) for one in standing if one.job_id},
        rows,
        reason,
        actor,
        now,
    )
    _project_again(histories, replies, files)
    for one in standing:
        if one.graph_id is not None:
            revert_graph(one, reason=reason, actor=actor, now=now)
    return len(standing)


def revert(correction: Correction, *, reason: str, actor: User, now: datetime) -> None:
    """Undo one. Raises: ValueError with a sentence when it was undone before, or there is no reason."""
    if not revert_all([correction], reason=reason, actor=actor, now=now):
        raise ValueError(_("This correction has already been undone."))
