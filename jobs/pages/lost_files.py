"""`/files/` without a path: the files that lost lines since a time, and what to import again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.export.csv_lines import csv_lines
from jobs.export.job import rfc3339
from jobs.lists.kinds import TIME_WORDS, read_when
from jobs.lists.paging import NUMBER, Column, invalid_value, page, read_time
from jobs.queries.lost_files import (
    LostFileRow,
    LostFiles,
    by_graph,
    lost_file_rows,
    lost_files_visible_to,
)
from jobs.web.addresses import at_cursor
from jobs.web.rendering import render_page

DEFAULT_SINCE = "24h"
ROWS = 200  # a page
SPANS = {
    "24h": gettext_lazy("24 hours"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
}
SORTS = {"begin_time": Column(read_time, has_unknown=False), "failed_lines": NUMBER}
PARAMETERS = ("since", "graph", "project")


@dataclass(frozen=True, slots=True)
class _Request:
    """The lost files an address asks for, with the time as it was given."""

    lost: LostFiles
    since: str
    problems: list[str]


def lost_files(request: HttpRequest) -> HttpResponseBase:
    """The list by graph; `?list` is the paths to import again as text, `?csv` all rows.

    An invalid value is named above the list; a download, which could not name it, is refused.
    """
    lost_request = _read_request(request)
    if "list" not in request.GET and "csv" not in request.GET:
        return render_page(request, "pages/lost_files.html", "lost", _list(request, lost_request))
    if lost_request.problems:
        text = "\n".join(lost_request.problems)
        return HttpResponseBadRequest(text, content_type="text/plain; charset=utf-8")
    if "list" in request.GET:
        return _download(_open_paths(lost_request.lost), "text/plain", "lost-files.txt")
    rows = (_csv_row(row) for row in lost_request.lost.rows())
    return _download(csv_lines(COLUMNS, rows, bom=True), "text/csv", "lost-files.csv")


def _read_request(request: HttpRequest) -> _Request:
    problems: list[str] = []
    params = {name: request.GET.get(name, "").replace("\x00", "").strip() for name in PARAMETERS}
    text = params["since"] or DEFAULT_SINCE
    zone = timezone.get_current_timezone()
    try:
        since = read_when(text, zone)
    except (ValueError, OverflowError):
        problems.append(invalid_value(_("Since"), text, str(TIME_WORDS)))
        text, since = DEFAULT_SINCE, read_when(DEFAULT_SINCE, zone)
    lost = lost_files_visible_to(
        request.user, since, project_id=params["project"], graph=params["graph"]
    )
    return _Request(lost, text, problems)


def _list(request: HttpRequest, lost_request: _Request) -> dict[str, Any]:
    part, problems = page(request.GET, lost_request.lost.begun(), SORTS, "-begin_time", ROWS)
    unbegun = [] if part.previous else list(lost_request.lost.unbegun()[:ROWS])
    rows = lost_file_rows([*unbegun, *part.rows])
    query = urlencode([(name, request.GET[name]) for name in PARAMETERS if request.GET.get(name)])
    return {
        "page": part,
        "groups": by_graph(rows),
        "open_count": sum(row.is_open for row in rows),
        "is_whole": part.next is None and part.previous is None,
        "totals": lost_request.lost.totals(),
        "problems": lost_request.problems + problems,
        "since": lost_request.since,
        "since_at": lost_request.lost.since,
        "spans": [(span, str(label)) for span, label in SPANS.items()],
        "asked_graph": request.GET.get("graph", ""),
        "download": f"{query}&" if query else "",
        "next_url": at_cursor(request, part.next),
        "previous_url": at_cursor(request, part.previous),
    }


def _open_paths(lost: LostFiles) -> Iterator[str]:
    return (f"{row.file.path}\n" for row in lost.rows() if row.is_open and row.file.path)


COLUMNS = (
    "project_id",
    "graph_id",
    "graph_name",
    "job_id",
    "begin_time",
    "kind",
    "path",
    "cause",
    "failed_lines",
    "total_lines",
    "log",
    "review",
    "loaded_since_by",
    "import_again",
)


def _csv_row(row: LostFileRow) -> dict[str, Any]:
    file, job = row.file, row.file.job
    return {
        "project_id": job.project.project_id,
        "graph_id": job.graph.graph_id,
        "graph_name": job.graph.name,
        "job_id": job.job_id,
        "begin_time": rfc3339(job.begin_time),
        "kind": file.kind,
        "path": file.path,
        "cause": file.cause,
        "failed_lines": file.failed_lines,
        "total_lines": file.total_lines,
        "log": file.log,
        "review": job.review,
        "loaded_since_by": row.reload.job_id if row.reload else None,
        "import_again": "yes" if row.is_open else "no",
    }


def _download(lines: Iterator[str], content_type: str, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(lines, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
