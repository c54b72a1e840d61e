"""Reviews of imports with failed lines, and notes on causes. Decisions are added, never changed."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import pglock
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from jobs.db.locks import TOLERANCE_LOCK
from jobs.ges.words import Verdict
from jobs.models import Cause, Graph, ImportFile, Job, Project, Review
from jobs.models.job import LOST_FILE, ReviewState
from jobs.queries.reloads import FIXING, lost_paths, not_reloaded
from jobs.record.lookup import lock_jobs
from jobs.record.review_state import needs_review, set_review_state, set_tolerated

MAX_NAMED = 3  # paths or jobs in a sentence
_BEGAN_AT = Coalesce("begin_time", "first_seen_at")  # Job.began_at


class InvalidDecision(ValueError):
    """An invalid decision; `field` is the form field at fault."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@transaction.atomic
def decide(
    job: Job,
    *,
    state: str,
    actor: User,
    now: datetime,
    note: str = "",
    fixed_by: Job | None = None,
    assignee: User | None = None,
    due_on: date | None = None,
    known: int | None = None,
) -> Review:
    """Add a decision about an import with failures, and show it on the job.

    `known`: the id of the newest review that the person saw, 0 for none; left out, a later decision
    of somebody else is no obstacle.
    Raises: ValueError with a sentence when somebody else decided since, or the job needs no review;
    InvalidDecision where a field is at fault.
    """
    locked = lock_jobs([job.pk])[job.pk]
    newest = locked.reviews.select_related("actor").order_by("-pk").first()
    if known is not None and known != (newest.pk if newest else 0):
        _refuse_overtaken(newest)
    if not needs_review(locked):
        raise ValueError(
            _("This job is not an import with failures, so there is nothing to review.")
        )
    note = note.replace("\x00", "").strip()
    _check(locked, state, note, fixed_by, assignee)
    review = Review.objects.create(
        job=locked,
        state=state,
        note=note,
        fixed_by=fixed_by,
        assignee=assignee,
        due_on=due_on,
        actor=actor,
        made_at=now,
    )
    set_review_state(locked, state, now=now)
    job.refresh_from_db(fields=["review", "changed_at"])
    return review


def _refuse_overtaken(newest: Review | None) -> None:
    if newest is None:
        raise ValueError(_("The review you saw does not belong to this job; reload the job."))
    values = {"who": newest.actor.get_username(), "state": newest.get_state_display()}
    raise ValueError(
        _("Meanwhile %(who)s set the review to %(state)s. Check that first, then decide again.")
        % values
    )


def _check(job: Job, state: str, note: str, fixed_by: Job | None, assignee: User | None) -> None:
    if state not in Review.DECISIONS:
        sentence = _("%(state)s is not a valid decision; expected one of %(words)s.")
        values = {"state": repr(state), "words": ", ".join(Review.DECISIONS)}
        raise InvalidDecision(sentence % values, "state")
    if state == ReviewState.ACCEPTED and not note:
        raise InvalidDecision(_("Accepting failures requires a note with the reason."), "note")
    if state == ReviewState.FIXED:
        _check_fix(job, fixed_by, note)
    elif fixed_by is not None:
        raise InvalidDecision(
            _("Only a resolved import can name the job that fixed it."), "fixed_by"
        )
    if (
        assignee is not None
        and not Project.objects.visible_to(assignee).filter(pk=job.project_id).exists()
    ):
        raise InvalidDecision(
            _("%(who)s does not have access to this project.") % {"who": assignee.get_username()},
            "assignee",
        )


def _check_fix(job: Job, fix: Job | None, note: str) -> None:
    obstacle = _obstacle(job, fix)
    if obstacle or fix is None:
        raise InvalidDecision(obstacle, "fixed_by")
    if not note and (missing := not_reloaded(job, fix)):
        values = {"job": fix.job_id, "paths": _first_of(missing)}
        sentence = _(
            "Job %(job)s did not fully load these failed files: %(paths)s. Enter "
            "another job, or explain in the note why this import is resolved anyway."
        )
        raise InvalidDecision(sentence % values, "fixed_by")


def _obstacle(job: Job, fix: Job | None) -> str:
    """Why this job can't have fixed the other, in a sentence; empty when it can."""
    if fix is None:
        return _("A resolved import needs the job that fixed it.")
    if fix.pk == job.pk:
        return _("A job can't fix itself.")
    if fix.graph_id != job.graph_id:
        return _("Job %(job)s belongs to another graph.") % {"job": fix.job_id}
    if fix.began_at <= job.began_at:
        return _("Job %(job)s started before this import, so it did not fix any of it.") % {
            "job": fix.job_id
        }
    if not fix.is_final:
        return _("Job %(job)s has not ended yet.") % {"job": fix.job_id}
    if fix.verdict not in FIXING:
        return _("Job %(job)s loaded nothing, so it did not fix anything.") % {"job": fix.job_id}
    return ""


def _first_of(paths: list[str]) -> str:
    shown = ", ".join(path or _("a file without a path") for path in paths[:MAX_NAMED])
    more = len(paths) - MAX_NAMED
    if more <= 0:
        return shown
    return _("%(paths)s and %(more)s more") % {"paths": shown, "more": f"{more:,}"}


def propose_fix(job: Job) -> Job | None:
    """The next import of the same graph that fully loaded every file this job failed on."""
    paths = lost_paths(job)
    if not paths or "" in paths:
        return None
    files = ImportFile.objects.filter(path__in=paths)
    loaded = files.filter(verdict=Verdict.SUCCESS)
    loaded_paths = (
        loaded.filter(job=OuterRef("pk"))
        .order_by()
        .values("job")
        .annotate(count=Count("path", distinct=True))
        .values("count")
    )
    later = Job.objects.annotate(began=_BEGAN_AT).filter(
        ~Exists(files.filter(LOST_FILE, job=OuterRef("pk"))),
        project=job.project_id,
        graph=job.graph_id,
        verdict__in=FIXING,
        began__gt=job.began_at,
        pk__in=loaded.values("job"),
    )
    fixing = later.alias(loaded=Subquery(loaded_paths)).filter(loaded=len(paths))
    return fixing.order_by("began", "pk").first()


def later_imports(job: Job) -> QuerySet[Job]:
    """The imports of the same graph that could have fixed this one, the earliest first."""
    later = Job.objects.annotate(began=_BEGAN_AT).filter(
        graph=job.graph_id, file_count__gt=0, verdict__in=FIXING, began__gt=job.began_at
    )
    return later.order_by("began", "pk")


def find_fix(job: Job, job_id: str) -> Job:
    """The job of this id in the project, or of this start of an id in the graph.

    Raises: InvalidDecision where there is none, or several.
    """
    if exact := Job.objects.filter(project=job.project_id, job_id=job_id).first():
        return exact
    matches = Job.objects.filter(graph=job.graph_id, job_id__startswith=job_id)
    newest = list(matches.order_by("-begin_time", "-pk")[: MAX_NAMED + 1])
    if len(newest) == 1:
        return newest[0]
    if not newest:
        raise InvalidDecision(
            _("No job %(job)s found in this project.") % {"job": job_id[:80]}, "fixed_by"
        )
    ids = ", ".join(match.job_id for match in newest[:MAX_NAMED])
    more = ", …" if len(newest) > MAX_NAMED else ""
    sentence = _("Several job IDs start with %(start)s: %(ids)s. Enter more characters.")
    values = {"start": job_id[:80], "ids": ids + more}
    raise InvalidDecision(sentence % values, "fixed_by")


@transaction.atomic
def set_tolerance(graph: Graph, share: Decimal | str | int | None, *, now: datetime) -> int:
    """Set the failure rate of a graph's imports that needs no review; None tolerates nothing.

    Jobs that nobody decided about follow at once; how many did.
    Raises: ValueError with a sentence.
    """
    tolerated = _read_share(share)
    # Recorders take it shared: none is under way with the former tolerance.
    pglock.advisory(TOLERANCE_LOCK, xact=True).acquire()
    Graph.objects.filter(pk=graph.pk).update(tolerated_loss=tolerated)
    graph.tolerated_loss = tolerated
    return set_tolerated(graph, tolerated, now=now)


def _read_share(share: Decimal | str | int | None) -> Decimal | None:
    if share is None:
        return None
    try:
        tolerated = Decimal(share)
        if not 0 <= tolerated <= 1 or tolerated != round(tolerated, 4):
            raise ValueError
    except (ValueError, InvalidOperation) as error:
        expected = _(
            "%(share)s is not valid; expected a rate from 0 to 1 with at most four "
            "decimal places, such as 0.05."
        )
        raise ValueError(expected % {"share": repr(str(share))[:60]}) from error
    return tolerated


def save_note(cause: Cause, note: str, *, actor: User, now: datetime) -> None:
    """Keep the team's note on a cause; an empty one removes it."""
    cause.note = note.replace("\x00", "").strip()
    cause.note_by, cause.note_at = actor, now
    cause.save(update_fields=["note", "note_by", "note_at"])
