"""The files of one import: filtered, sorted, grouped and read in parts by the database, so that thousands stay fluent."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    Case,
    Count,
    DecimalField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from jobs.diagnosis.explain import explain
from jobs.ges.words import Verdict
from jobs.lists.paging import KNOWN_NUMBER, NUMBER, TEXT, invalid_value, page, read_choice, read_pk
from jobs.models import Correction, ImportFile, Job
from jobs.models.job import VerdictChoices as VerdictChoices
from jobs.pages.jobs import at_cursor

PART, GROUPS = 100, 200
BEFORE = timedelta(days=30)  # how far back a cause's imports are counted
FIRST = datetime(1, 1, 1, tzinfo=UTC)
NEW = timedelta(days=7)  # a cause first seen so shortly before a job began is new there
LOST = (Verdict.PARTIAL.value, Verdict.FAILED.value)
_RANK = Case(
    When(verdict=Verdict.FAILED.value, then=Value(3)),
    When(verdict=Verdict.PARTIAL.value, then=Value(2)),
    When(verdict=Verdict.UNKNOWN.value, then=Value(1)),
    default=Value(0),
    output_field=IntegerField(),
)
_WIDE = DecimalField(max_digits=40, decimal_places=0)
# Worst first in one number, so that a page has one position: the verdict before the lines, 64 bits of them below it.
# Negative, so that equals follow in the order GES sent them.
_WORST = -(Cast(_RANK, _WIDE) * Value(Decimal(2**64), output_field=_WIDE)) - Cast(
    Coalesce("failed_lines", Value(0)), _WIDE
)
_FOLDER = Func(
    F("path"), Value("[^/]*$"), Value(""), function="regexp_replace", output_field=TextField()
)
SORTS = {
    "worst": KNOWN_NUMBER,
    "path": TEXT,
    "total_lines": NUMBER,
    "failed_lines": NUMBER,
    "successful_lines": NUMBER,
}
GROUP_BY = {
    "kind": F("kind"),
    "verdict": F("verdict"),
    "folder": F("folder"),
    "cause": F("cause_group"),
}


def files_of(request: HttpRequest, job: Job) -> dict[str, Any]:
    """The part of the files that the address asks for, the causes of their loss, and the groups if any are asked for."""
    rows = ImportFile.objects.filter(job=job)
    params = request.GET
    found, problems = _chosen(params, rows.exclude(kind="schema"))
    group = read_choice(params, "group", GROUP_BY, "", problems)
    context: dict[str, Any] = {
        "file_total": job.file_count,
        "file_asked": {
            name: params.get(name, "")
            for name in ("kind", "verdict", "folder", "file", "cause_group", "group")
        },
        "is_filtered": any(
            params.get(name) for name in ("kind", "verdict", "folder", "file", "cause_group")
        ),
        "file_kinds": [choice for choice in ImportFile.Kind.choices if choice[0] != "schema"],
        "file_verdicts": VerdictChoices.choices,
        "group_names": [
            ("kind", _("type")),
            ("verdict", _("status")),
            ("folder", _("folder")),
            ("cause", _("failure reason")),
        ],
        "causes": _causes(rows, job),
        "schemas": list(rows.filter(kind="schema").order_by("position")[:PART])
        if not params.get("cursor")
        else [],
        "file_problems": problems,
    }
    if group:
        return context | {"groups": _groups(found, group)}
    part, more = page(params, found.annotate(worst=_WORST), SORTS, "worst", PART)
    with_corrections(job, [*part.rows, *context["schemas"]])
    return context | {
        "page": part,
        "files": part.rows,
        "file_problems": problems + more,
        "more_url": at_cursor(request, part.next),
    }


def with_corrections(job: Job, files: list[ImportFile]) -> None:
    """Give each of these files of a job the corrections that stand over it, as `standing`."""
    by_place: dict[tuple[str, int | None], list[Correction]] = {}
    for one in job.standing:  # type: ignore[attr-defined]
        by_place.setdefault((one.kind, one.position), []).append(one)
    for file in files:
        file.standing = by_place.get((file.kind, file.position), [])  # type: ignore[attr-defined]


def _chosen(params: Any, rows: QuerySet[ImportFile]) -> tuple[QuerySet[ImportFile], list[str]]:
    problems = []
    for name, words in (("kind", ("vertex", "edge")), ("verdict", VerdictChoices.values)):
        if value := params.get(name, ""):
            if value in words:
                rows = rows.filter(**{name: value})
            else:
                problems.append(invalid_value(name, value, ", ".join(words)))
    if text := params.get("file", "").replace("\x00", "").strip():
        rows = rows.filter(Q(path__contains=text) | Q(cause__icontains=text))
    if folder := params.get("folder", "").replace("\x00", ""):
        rows = rows.alias(folder=_FOLDER).filter(folder=folder)
    if number := params.get("cause_group", ""):
        if (pk := read_pk(number)) is not None:
            rows = rows.filter(cause_group=pk)
        else:
            problems.append(
                invalid_value("cause_group", number, _("the number of a failure reason"))
            )
    return rows, problems


def _groups(rows: QuerySet[ImportFile], by: str) -> list[dict[str, Any]]:
    """Sums a group, those that lost most first; each with the parameter and value that shows its files."""
    named = rows.annotate(folder=_FOLDER).order_by().values(name=GROUP_BY[by])
    if by == "cause":
        named = named.annotate(label=F("cause_group__pattern"))
    summed = named.annotate(
        files=Count("*"),
        lost_files=Count("pk", filter=Q(verdict__in=LOST)),
        total_lines=Sum("total_lines"),
        failed_lines=Sum("failed_lines"),
        successful_lines=Sum("successful_lines"),
    ).order_by(F("failed_lines").desc(nulls_last=True), "-files")
    parameter = "cause_group" if by == "cause" else by
    labels = {"kind": dict(ImportFile.Kind.choices), "verdict": dict(VerdictChoices.choices)}.get(
        by, {}
    )
    nameless = _("no folder") if by == "folder" else _("no failure reason given")
    return [
        row
        | {
            "label": row.get("label") or labels.get(row["name"], row["name"]) or nameless,
            "parameter": parameter,
        }
        for row in summed[:GROUPS]
    ]


def _causes(rows: QuerySet[ImportFile], job: Job) -> list[dict[str, Any]]:
    """The causes of this job's loss with their share of it, the largest first; and where this graph had them before."""
    until = max(
        job.began_at, FIRST + BEFORE
    )  # a begin may be of the year 1, before which there is none
    earlier = Job.objects.counted().filter(
        graph=job.graph_id, begin_time__gte=until - BEFORE, begin_time__lt=until
    )
    same = (
        ImportFile.objects.filter(job__in=earlier, cause_group=OuterRef("cause_group"))
        .order_by()
        .values("cause_group")
    )
    span = {
        "began_after": (until - BEFORE).isoformat(),
        "began_before": until.isoformat(),
        "hidden": "no",
    }
    of_graph = {"graph": job.graph.graph_id or job.graph.name, **span}
    lost = (
        rows.filter(cause_group__isnull=False)
        .order_by()
        .values(
            "cause_group",
            pattern=F("cause_group__pattern"),
            note=F("cause_group__note"),
            since=F("cause_group__first_seen_at"),
        )
    )
    found = list(
        lost.annotate(
            files=Count("*"),
            failed=Sum("failed_lines"),
            before=Subquery(same.annotate(n=Count("job", distinct=True)).values("n")),
        ).order_by(F("failed").desc(nulls_last=True), "-files")[:20]
    )
    whole = sum(row["failed"] or 0 for row in found)
    return [
        row
        | {
            "before_url": f"{reverse('pages:jobs')}?{urlencode({'cause_group': row['cause_group'], **of_graph})}",
            "share": Decimal(row["failed"]) / whole if whole and row["failed"] else None,
            "explanations": explain(row["pattern"])[:1],
            "is_new": row["since"] - job.began_at > -NEW,  # a begin may be of the year 1
        }
        for row in found
    ]
