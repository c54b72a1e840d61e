"""`/files/` without a path: the files that lost lines, over all jobs of a time. What is to be imported again, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.export.csv_lines import csv_lines
from jobs.export.job import rfc3339
from jobs.lists.kinds import TIME_WORDS, read_when
from jobs.lists.paging import NUMBER, Column, invalid_value, page, read_time
from jobs.models import Graph, ImportFile, Job, Project
from jobs.models.job import LOST_FILE, ReviewState
from jobs.pages.jobs import at_cursor
from jobs.queries.reloads import Reload, loads_of, with_loads
from jobs.web.rendering import render_page

SINCE, ROWS, CHUNK = "24h", 200, 500
SPANS = {
    "24h": gettext_lazy("24 hours"),
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
}
SORTS = {"begin_time": Column(read_time, has_unknown=False), "failed_lines": NUMBER}
DONE = {ReviewState.ACCEPTED.value, ReviewState.FIXED.value, ReviewState.TOLERATED.value}
_COLUMNS = (
    "project_id", "graph_id", "graph_name", "job_id", "begin_time", "kind", "path", "cause", "failed_lines", "total_lines",
    "log", "review", "loaded_since_by", "import_again",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lost:
    """A file that lost lines, the job that loaded that very path whole since, and whether a newer import lost some of it again."""

    file: ImportFile
    reload: Reload | None
    is_superseded: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is still to be imported again: not loaded since, and nobody has said that it need not be."""
        return self.reload is None and not self.is_superseded and self.file.job.review not in DONE


@dataclass(frozen=True, slots=True)
class OfGraph:
    """The rows of one graph, the jobs they are of, and the paths that are still to be imported again."""

    graph: Graph
    rows: list[Lost] = field(default_factory=list)

    @property
    def jobs(self) -> list[Job]:
        """Those with something still to import, each once: a repair kit is of one job."""
        return list({one.file.job_id: one.file.job for one in self.rows if one.is_open}.values())

    @property
    def paths(self) -> list[str]:
        """Each once."""
        return list(
            dict.fromkeys(one.file.path for one in self.rows if one.is_open and one.file.path)
        )

    @property
    def key(self) -> str:
        """What the filter `graph` takes for it."""
        return self.graph.graph_id or self.graph.name


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for. `jobs`: plain conditions on jobs, so that they can be put over the join, where the jobs' order is read
    from their index."""

    since: datetime
    word: str
    jobs: dict[str, Any]
    problems: list[str]

    def files(self, **more: Any) -> QuerySet[ImportFile]:
        of_jobs = {f"job__{name}": value for name, value in (self.jobs | more).items()}
        found = ImportFile.objects.filter(LOST_FILE, job__lost_file_count__gt=0, **of_jobs)
        return with_loads(found, 1).select_related("job__graph", "job__project")

    def begun(self) -> QuerySet[ImportFile]:
        return self.files(begin_time__gte=self.since).annotate(begin_time=F("job__begin_time"))

    def unbegun(self) -> QuerySet[ImportFile]:
        """Of jobs of which GES tells no begin: by when they were first seen."""
        return self.files(begin_time=None, first_seen_at__gte=self.since).order_by("-job", "pk")


def lost_files(request: HttpRequest) -> HttpResponseBase:
    """The list, grouped by graph; `?list` gives the paths that are still to be imported as text, `?csv` all with reasons.

    What won't do is said above the list; a download is refused for it, since a file says nothing.
    """
    asked = _read(request)
    if asked.problems and ("list" in request.GET or "csv" in request.GET):
        return HttpResponseBadRequest(
            "\n".join(asked.problems), content_type="text/plain; charset=utf-8"
        )
    if "list" in request.GET:
        return _download(_paths(asked), "text/plain", "lost-files.txt")
    if "csv" in request.GET:
        return _download(csv_lines(_COLUMNS, _rows(asked), bom=True), "text/csv", "lost-files.csv")
    shown, more = page(request.GET, asked.begun(), SORTS, "-begin_time", ROWS)
    unbegun = [] if shown.previous else list(asked.unbegun()[:ROWS])
    rows = _seen([*unbegun, *shown.rows])
    again = [one for one in rows if one.is_open]
    is_whole = shown.next is None and shown.previous is None
    query = urlencode(
        [
            (name, request.GET[name])
            for name in ("since", "graph", "project")
            if request.GET.get(name)
        ]
    )
    context = {
        "page": shown,
        "groups": _by_graph(rows),
        "open_count": len(again),
        "is_whole": is_whole,
        "totals": lost_since(Job.objects.filter(**asked.jobs), asked.since),
        "problems": asked.problems + more,
        "since": asked.word,
        "since_at": asked.since,
        "spans": [(word, str(label)) for word, label in SPANS.items()],
        "asked_graph": request.GET.get("graph", ""),
        "download": f"{query}&" if query else "",
        "next_url": at_cursor(request, shown.next),
        "previous_url": at_cursor(request, shown.previous),
    }
    return render_page(request, "pages/lost_files.html", "lost", context)


def lost_since(jobs: QuerySet[Job], since: datetime) -> dict[str, Any]:
    """How many files of these jobs lost something since, and how many lines."""
    begun = Q(begin_time__gte=since) | Q(begin_time=None, first_seen_at__gte=since)
    return jobs.filter(begun, lost_file_count__gt=0).aggregate(
        files=Sum("lost_file_count"), lost=Sum("failed_lines")
    )


def _read(request: HttpRequest) -> _Asked:
    problems: list[str] = []
    params = {
        name: request.GET.get(name, "").replace("\x00", "").strip()
        for name in ("since", "graph", "project")
    }
    word = params["since"] or SINCE
    zone = timezone.get_current_timezone()
    try:
        since = read_when(word, zone)
    except (ValueError, OverflowError):
        problems.append(invalid_value(_("Since"), word, str(TIME_WORDS)))
        word, since = SINCE, read_when(SINCE, zone)
    jobs: dict[str, Any] = {"is_hidden": False}
    ids = Project.objects.visible_ids(request.user)
    if params["project"]:
        named = Project.objects.visible_to(request.user).filter(project_id=params["project"])
        ids = list(named.values_list("pk", flat=True))
    if ids is not None:
        jobs["project__in"] = ids
    if params["graph"]:
        named_so = Q(graph_id__startswith=params["graph"]) | Q(name=params["graph"])
        jobs["graph__in"] = list(Graph.objects.filter(named_so).values_list("pk", flat=True))
    return _Asked(since, word, jobs, problems)


def _seen(files: Sequence[ImportFile], newer: set[tuple[int, str]] | None = None) -> list[Lost]:
    """What became of these files since; `newer`: the graphs and paths of rows that came before these, to which these are added."""
    newer = set() if newer is None else newer
    made: dict[int, Lost] = {}
    for file in sorted(files, key=lambda file: (file.job.began_at, file.job_id), reverse=True):
        place = file.job.graph_id, file.path
        made[file.pk] = Lost(
            file, next(iter(loads_of(file)), None), bool(file.path) and place in newer
        )
        newer.add(place)
    return [made[file.pk] for file in files]


def _by_graph(rows: Iterable[Lost]) -> list[OfGraph]:
    groups: dict[int, OfGraph] = {}
    for one in rows:
        groups.setdefault(one.file.job.graph_id, OfGraph(one.file.job.graph)).rows.append(one)
    return list(groups.values())


def _all(asked: _Asked) -> Iterator[Lost]:
    """Every row, the newest job's first; held are a part of them, and the paths that came before."""
    newer: set[tuple[int, str]] = set()
    for rows in (asked.unbegun(), asked.begun().order_by("-job__begin_time", "-pk")):
        for files in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
            yield from _seen(files, newer)


def _paths(asked: _Asked) -> Iterator[str]:
    return (f"{one.file.path}\n" for one in _all(asked) if one.is_open and one.file.path)


def _rows(asked: _Asked) -> Iterator[dict[str, Any]]:
    for one in _all(asked):
        file, job = one.file, one.file.job
        cells = (
            job.project.project_id, job.graph.graph_id, job.graph.name, job.job_id, rfc3339(job.begin_time), file.kind,
            file.path, file.cause, file.failed_lines, file.total_lines, file.log, job.review,
            one.reload.job_id if one.reload else None, "yes" if one.is_open else "no",
        )  # fmt: skip
        yield dict(zip(_COLUMNS, cells, strict=True))


def _download(rows: Iterator[str], content_type: str, name: str) -> HttpResponseBase:
    response = StreamingHttpResponse(rows, content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
