"""One import against another of the same graph: by default the last good one."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from jobs.diagnosis.comparison import FileChange, compare, new_causes
from jobs.ges.words import Verdict
from jobs.lists.paging import invalid_value, read_choice, read_pk
from jobs.models import Job
from jobs.pages.job.page import visible
from jobs.queries.headline import headline_of
from jobs.web.rendering import render_page

CHOICES, SHOWN = 30, 500
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
    """File by file: new, gone, better, worse or the same; causes that were not there before come first."""
    one = visible(request, pk)
    others = Job.objects.filter(graph=one.graph_id, file_count__gt=0).exclude(pk=one.pk)
    others = others.order_by(F("begin_time").desc(nulls_last=True), "-pk")
    choices = list(others[:CHOICES])
    other, problem = _chosen(request.GET.get("with", ""), one, others)
    problems = [problem] if problem else []
    only = read_choice(request.GET, "change", [change.value for change in FileChange], "", problems)
    context: dict[str, Any] = {"job": one, "other": other, "choices": choices, "problems": problems}
    if other is not None:
        before, after = (
            list(other.files.order_by("-kind", "position")),
            list(one.files.order_by("-kind", "position")),
        )
        rows = compare(before, after)
        groups = {file.cause: file.cause_group_id for file in after}
        counted = {change: sum(row.change is change for row in rows) for change in FileChange}
        context |= {
            "headline": headline_of(one),
            "other_headline": headline_of(other),
            "counted": [(change.value, LABELS[change], count) for change, count in counted.items()],
            "only": only,
            "rows": [(row, LABELS[row.change]) for row in rows if only in {"", row.change.value}][
                :SHOWN
            ],
            "row_total": counted[FileChange(only)] if only else len(rows),
            "new_causes": [
                (cause, groups.get(cause.example)) for cause in new_causes(before, after)
            ],
        }
    return render_page(request, "pages/job/comparison.html", "compare", context)


def _chosen(asked: str, one: Job, others: Any) -> tuple[Job | None, str | None]:
    """The import asked for, else the newest whole one before this, else the newest before this."""
    if asked:
        found = others.filter(pk=read_pk(asked)).first()
        return found, None if found else invalid_value(
            "with", asked, _("the number of another import of this graph")
        )
    before = others.filter(begin_time__lt=one.begin_time) if one.begin_time else others
    return before.filter(verdict=Verdict.SUCCESS.value).first() or before.first(), None
