"""One import against another of the same graph: by default the last good one."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from jobs.diagnosis.comparison import FileChange, compare, new_causes
from jobs.ges.words import Verdict
from jobs.lists.paging import invalid_value, read_choice, read_pk
from jobs.models import ImportFile, Job
from jobs.pages.job.lookup import visible_job
from jobs.queries.headline import headline_of
from jobs.web.rendering import render_page

MAX_CHOICES = 30  # imports to compare with
MAX_ROWS = 500
LABELS = {
    FileChange.WORSE: gettext_lazy("worse"),
    FileChange.NEW: gettext_lazy("added"),
    FileChange.GONE: gettext_lazy("missing"),
    FileChange.BETTER: gettext_lazy("better"),
    FileChange.SAME: gettext_lazy("unchanged"),
    FileChange.CANNOT_TELL: gettext_lazy("unknown"),
}


@require_safe
def compare_with(request: HttpRequest, pk: int) -> HttpResponse:
    """File by file: added, missing, better, worse or unchanged; new failure reasons come first."""
    job = visible_job(request, pk)
    others = Job.objects.filter(graph=job.graph_id, file_count__gt=0).exclude(pk=job.pk)
    others = others.order_by(F("begin_time").desc(nulls_last=True), "-pk")
    baseline, problem = _baseline(request.GET.get("with", ""), job, others)
    problems = [problem] if problem else []
    words = [change.value for change in FileChange]
    only = read_choice(request.GET, "change", words, "", problems)
    context: dict[str, Any] = {
        "job": job,
        "other": baseline,
        "choices": list(others[:MAX_CHOICES]),
        "problems": problems,
    }
    if baseline is not None:
        context |= _differences(baseline, job, only)
    return render_page(request, "pages/job/comparison.html", "compare", context)


def _baseline(text: str, job: Job, others: QuerySet[Job]) -> tuple[Job | None, str | None]:
    """The import asked for and, if there is none, a sentence.

    Without one: the newest success before this, else the newest import before this.
    """
    if text:
        chosen = others.filter(pk=read_pk(text) or 0).first()
        expected = _("the number of another import of this graph")
        return chosen, None if chosen else invalid_value("with", text, expected)
    before = others.filter(begin_time__lt=job.begin_time) if job.begin_time else others
    return before.filter(verdict=Verdict.SUCCESS.value).first() or before.first(), None


def _differences(baseline: Job, job: Job, only: str) -> dict[str, Any]:
    """The files of both, paired; those of one change where `only` names it."""
    before, after = _files(baseline), _files(job)
    rows = compare(before, after)
    shown_rows = [(row, LABELS[row.change]) for row in rows if only in {"", row.change.value}]
    counts = {change: sum(row.change is change for row in rows) for change in FileChange}
    groups = {file.cause: file.cause_group_id for file in after}
    return {
        "headline": headline_of(job),
        "other_headline": headline_of(baseline),
        "counted": [(change.value, LABELS[change], count) for change, count in counts.items()],
        "only": only,
        "rows": shown_rows[:MAX_ROWS],
        "row_total": counts[FileChange(only)] if only else len(rows),
        "new_causes": [(cause, groups.get(cause.example)) for cause in new_causes(before, after)],
    }


def _files(job: Job) -> Sequence[ImportFile]:
    return list(job.files.order_by("-kind", "position"))
