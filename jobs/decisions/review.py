"""What people say of an import that lost data, and of its causes. Decisions are added, never changed."""

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

SHOWN = 3  # paths named in a sentence


class InvalidDecision(ValueError):
    """A decision that won't do; `field` is what of it."""

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
    """Add a decision about a job that lost data, and show it on the job.

    `known`: the newest review's id that the person saw, 0 for none; left out, nobody else's decision is in the way.
    Raises: ValueError with a sentence when the decision won't do (Refused where one field of it is why), or when somebody else
    decided since.
    """
    locked = lock_jobs([job.pk])[job.pk]
    newest = locked.reviews.select_related("actor").order_by("-pk").first()
    if known is not None and known != (newest.pk if newest else 0):
        _refuse_since(newest)
    if not needs_review(locked):
        raise ValueError(
            _("This job is not an import with failures, so there is nothing to review.")
        )
    note = note.replace("\x00", "").strip()
    _check(locked, state, note, fixed_by, assignee)
    made = Review.objects.create(
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
    return made


def _refuse_since(newest: Review | None) -> None:
    if newest is None:
        raise ValueError(_("The review you saw does not belong to this job; reload the job."))
    said = {"who": newest.actor.get_username(), "state": newest.get_state_display()}
    raise ValueError(
        _("Meanwhile %(who)s set the review to %(state)s. Check that first, then decide again.")
        % said
    )


def _check(job: Job, state: str, note: str, fixed_by: Job | None, assignee: User | None) -> None:
    if state not in Review.DECISIONS:
        words = ", ".join(Review.DECISIONS)
        said = _("%(state)s is not a valid decision; expected one of %(words)s.") % {
            "state": repr(state),
            "words": words,
        }
        raise InvalidDecision(said, "state")
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


def _check_fix(job: Job, by: Job | None, note: str) -> None:
    why_not = _why_no_fix(job, by)
    if why_not or by is None:
        raise InvalidDecision(why_not, "fixed_by")
    if not note and (missing := not_reloaded(job, by)):
        said = {"job": by.job_id, "paths": _named(missing)}
        sentence = _(
            "Job %(job)s did not fully load these failed files: %(paths)s. Enter "
            "another job, or explain in the note why this import is resolved anyway."
        )
        raise InvalidDecision(sentence % said, "fixed_by")


def _why_no_fix(job: Job, by: Job | None) -> str:
    """Why a job can't have fixed this one, whatever is said of it; empty when it can."""
    if by is None:
        return _("A resolved import needs the job that fixed it.")
    if by.pk == job.pk:
        return _("A job can't fix itself.")
    if by.graph_id != job.graph_id:
        return _("Job %(job)s belongs to another graph.") % {"job": by.job_id}
    if by.began_at <= job.began_at:
        return _("Job %(job)s started before this import, so it did not fix any of it.") % {
            "job": by.job_id
        }
    if not by.is_final:
        return _("Job %(job)s has not ended yet.") % {"job": by.job_id}
    if by.verdict not in FIXING:
        return _("Job %(job)s loaded nothing, so it did not fix anything.") % {"job": by.job_id}
    return ""


def _named(paths: list[str]) -> str:
    shown = ", ".join(path or _("a file without a path") for path in paths[:SHOWN])
    more = len(paths) - SHOWN
    return (
        _("%(paths)s and %(more)s more") % {"paths": shown, "more": f"{more:,}"}
        if more > 0
        else shown
    )


def propose_fix(job: Job) -> Job | None:
    """The earliest later import of the same graph that loaded every path this job lost, and lost none of them."""
    lost = lost_paths(job)
    if not lost or "" in lost:
        return None
    of_these = ImportFile.objects.filter(path__in=lost)
    loaded = of_these.filter(verdict=Verdict.SUCCESS)
    paths = (
        loaded.filter(job=OuterRef("pk"))
        .order_by()
        .values("job")
        .annotate(n=Count("path", distinct=True))
        .values("n")
    )
    later = Job.objects.annotate(began=Coalesce("begin_time", "first_seen_at")).filter(
        project=job.project_id, graph=job.graph_id, verdict__in=FIXING
    )
    later = later.filter(
        ~Exists(of_these.filter(LOST_FILE, job=OuterRef("pk"))),
        began__gt=job.began_at,
        pk__in=loaded.values("job"),
    )
    return (
        later.alias(loaded=Subquery(paths)).filter(loaded=len(lost)).order_by("began", "pk").first()
    )


def later_imports(job: Job) -> QuerySet[Job]:
    """The imports of the same graph that could have fixed this one, the earliest first."""
    rows = Job.objects.annotate(began=Coalesce("begin_time", "first_seen_at"))
    return rows.filter(
        graph=job.graph_id, file_count__gt=0, verdict__in=FIXING, began__gt=job.began_at
    ).order_by("began", "pk")


def find_fix(job: Job, job_id: str) -> Job:
    """The job of this id in the project, or of this start of an id in the graph. Raises: Refused where there is none, or several."""
    if exact := Job.objects.filter(project=job.project_id, job_id=job_id).first():
        return exact
    found = list(
        Job.objects.filter(graph=job.graph_id, job_id__startswith=job_id).order_by(
            "-begin_time", "-pk"
        )[: SHOWN + 1]
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidDecision(
            _("No job %(job)s found in this project.") % {"job": job_id[:80]}, "fixed_by"
        )
    ids = ", ".join(one.job_id for one in found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
    said = _("Several job IDs start with %(start)s: %(ids)s. Enter more characters.")
    raise InvalidDecision(said % {"start": job_id[:80], "ids": ids}, "fixed_by")


@transaction.atomic
def set_tolerance(graph: Graph, share: Decimal | str | int | None, *, now: datetime) -> int:
    """Set the share of lines a graph's imports may lose without a review; None tolerates nothing.

    Jobs that nobody decided about follow at once; how many did. Raises: ValueError with a sentence.
    """
    tolerated = _share(share)
    # Recorders take it shared: none is under way with the former tolerance.
    pglock.advisory(TOLERANCE_LOCK, xact=True).acquire()
    Graph.objects.filter(pk=graph.pk).update(tolerated_loss=tolerated)
    graph.tolerated_loss = tolerated
    return set_tolerated(graph, tolerated, now=now)


def _share(share: Decimal | str | int | None) -> Decimal | None:
    if share is None:
        return None
    try:
        read = Decimal(share)
        if not 0 <= read <= 1 or read != round(read, 4):
            raise ValueError
    except (ValueError, InvalidOperation) as wrong:
        expected = _(
            "%(share)s is not valid; expected a rate from 0 to 1 with at most four "
            "decimal places, such as 0.05."
        )
        raise ValueError(expected % {"share": repr(str(share))[:60]}) from wrong
    return read


def save_note(cause: Cause, note: str, *, actor: User, now: datetime) -> None:
    """Keep what the team knows of a cause; an empty note takes it away."""
    cause.note, cause.note_by, cause.note_at = note.replace("\x00", "").strip(), actor, now
    cause.save(update_fields=["note", "note_by", "note_at"])
