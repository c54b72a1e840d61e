"""A person's values over observed ones: laid, undone, never lost."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, read_value
from jobs.ges.sentence import Sentence
from jobs.models import Correction, ImportFile, Job
from jobs.record.lookup import lock_jobs
from jobs.record.recorder import rebuild


@transaction.atomic
def correct(
    job: Job, *, kind: str, position: int | None, field: str, corrected: str | None, reason: str, actor: User, now: datetime
) -> Correction:
    """Lay a person's value over an observed one. A correction of the same place and field that stood is reverted.

    Raises: ValueError with a sentence when the field, the value or the reason won't do.
    """
    if field not in (FILE_FIELDS if kind else JOB_FIELDS):
        raise ValueError(_("%(field)s can't be corrected.") % {"field": repr(field)})
    if not reason.strip():
        raise ValueError(_("A correction needs a reason."))
    check_value(field, corrected)
    job = lock_jobs([job.pk])[job.pk]
    Correction.objects.filter(job=job, kind=kind, position=position, field=field, reverted_at=None).update(
        reverted_at=now, reverted_by=actor
    )
    rebuild([job], now=now)  # what was observed, without the one just reverted
    job.refresh_from_db()
    target: Job | ImportFile | None = job
    if kind:
        target = job.files.filter(kind=kind, position=-1 if position is None else position).first()
    if target is None:
        raise ValueError(_("The job has no %(kind)s file at position %(position)s.") % {"kind": kind, "position": position})
    made = Correction.objects.create(
        job=job,
        kind=kind,
        position=position,
        field=field,
        observed=_as_text(getattr(target, field)),
        corrected=corrected or None,
        reason=reason.strip(),
        actor=actor,
        made_at=now,
    )
    rebuild([job], now=now)
    return made


@transaction.atomic
def revert(correction: Correction, *, actor: User, now: datetime) -> None:
    """Undo a correction: what was observed shows again, and the correction stays on record as undone.

    Raises: ValueError when it was undone before.
    """
    lock_jobs([correction.job_id])
    standing = Correction.objects.filter(pk=correction.pk, reverted_at=None)
    if not standing.update(reverted_at=now, reverted_by=actor):
        raise ValueError(_("This correction is already undone."))
    rebuild([correction.job], now=now)


def check_value(field: str, corrected: str | None) -> None:
    """Whether the text is a value of this field. Raises: ValueError with a sentence in the reader's language."""
    try:
        read_value(field, corrected)
    except ValueError as wrong:
        said: Sentence = wrong.args[0]
        raise ValueError(said.fill(_(said.text))) from wrong


def _as_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
