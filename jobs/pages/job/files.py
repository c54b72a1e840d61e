"""The files of one import on its page: filtered, sorted, grouped, and a page at a time."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from jobs.diagnosis.explain import explain
from jobs.diagnosis.explanations import Explanation
from jobs.lists.paging import KNOWN_NUMBER, NUMBER, TEXT, invalid_value, page, read_choice, read_pk
from jobs.models import ImportFile, Job
from jobs.models.job import VerdictChoices
from jobs.queries.corrections import share_corrections
from jobs.queries.job_files import (
    GROUP_BY,
    JobCause,
    causes_of,
    file_groups,
    in_folder,
    period_before,
    with_worst,
)
from jobs.web.addresses import at_cursor

PAGE_SIZE = 100
SORTS = {
    "worst": KNOWN_NUMBER,
    "path": TEXT,
    "total_lines": NUMBER,
    "failed_lines": NUMBER,
    "successful_lines": NUMBER,
}
FILTERS = ("kind", "verdict", "folder", "file", "cause_group")


@dataclass(frozen=True, slots=True)
class CauseRow(JobCause):
    """A cause with the address of the graph's imports that had it before, and its explanation."""

    before_url: str
    explanations: list[Explanation]


def files_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """The files or groups the address asks for, the causes of their losses, and the filters.

    `job.standing` has to be set.
    """
    params = request.GET
    files = ImportFile.objects.filter(job=job)
    schemas = [] if params.get("cursor") else list(_schemas(files))
    data_files, problems = _filtered(params, files.exclude(kind=ImportFile.Kind.SCHEMA))
    group_by = read_choice(params, "group", GROUP_BY, "", problems)
    context: dict[str, Any] = {
        "file_total": job.file_count,
        "file_asked": {name: params.get(name, "") for name in (*FILTERS, "group")},
        "is_filtered": any(params.get(name) for name in FILTERS),
        "file_kinds": [choice for choice in ImportFile.Kind.choices if choice[0] != "schema"],
        "file_verdicts": VerdictChoices.choices,
        "group_names": [
            ("kind", _("type")),
            ("verdict", _("status")),
            ("folder", _("folder")),
            ("cause", _("failure reason")),
        ],
        "causes": _cause_rows(job),
        "schemas": schemas,
        "file_problems": problems,
    }
    if group_by:
        return context | {"groups": file_groups(data_files, group_by)}

    part, page_problems = page(params, with_worst(data_files), SORTS, "worst", PAGE_SIZE)
    share_corrections(job, [*part.rows, *schemas])
    return context | {
        "page": part,
        "files": part.rows,
        "file_problems": problems + page_problems,
        "more_url": at_cursor(request, part.next),
    }


def _schemas(files: QuerySet[ImportFile]) -> QuerySet[ImportFile]:
    return files.filter(kind=ImportFile.Kind.SCHEMA).order_by("position")[:PAGE_SIZE]


def _filtered(
    params: QueryDict, files: QuerySet[ImportFile]
) -> tuple[QuerySet[ImportFile], list[str]]:
    """The files that the parameters ask for, and a sentence for each invalid one."""
    problems = []
    for name, words in (("kind", ["vertex", "edge"]), ("verdict", VerdictChoices.values)):
        value = params.get(name, "")
        if value in words:
            files = files.filter(**{name: value})
        elif value:
            problems.append(invalid_value(name, value, ", ".join(words)))
    if text := params.get("file", "").replace("\x00", "").strip():
        files = files.filter(Q(path__contains=text) | Q(cause__icontains=text))
    if folder := params.get("folder", "").replace("\x00", ""):
        files = in_folder(files, folder)
    if number := params.get("cause_group", ""):
        if (pk := read_pk(number)) is not None:
            files = files.filter(cause_group=pk)
        else:
            expected = _("the number of a failure reason")
            problems.append(invalid_value("cause_group", number, expected))
    return files, problems


def _cause_rows(job: Job) -> list[CauseRow]:
    begin, until = period_before(job)
    of_graph = {
        "graph": job.graph.graph_id or job.graph.name,
        "began_after": begin.isoformat(),
        "began_before": until.isoformat(),
        "hidden": "no",
    }
    rows = []
    for cause in causes_of(job):
        query = urlencode({"cause_group": cause.cause_group, **of_graph})
        before_url = f"{reverse('pages:jobs')}?{query}"
        explanations = explain(cause.pattern)[:1]
        rows.append(CauseRow(**asdict(cause), before_url=before_url, explanations=explanations))
    return rows
