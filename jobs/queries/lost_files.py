"""The files that lost lines since a time, over all jobs: which are still to be imported again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any, TypedDict

from django.db.models import F, Q, QuerySet, Sum

from jobs.models import Graph, ImportFile, Job, Project
from jobs.models.job import LOST_FILE, ReviewState
from jobs.models.roles import Viewer
from jobs.queries.reloads import Reload, loads_of, with_loads

FILES_AT_ONCE = 500  # held in memory while all rows are read
#: Reviews after which nothing of a job is imported again.
CLOSED_REVIEWS = {ReviewState.ACCEPTED, ReviewState.FIXED, ReviewState.TOLERATED}


@dataclass(frozen=True, slots=True)
class LostFileRow:
    """A file that lost lines, and the first job that has loaded that path whole since.

    `is_superseded`: a newer import lost lines of the same path again.
    """

    file: ImportFile
    reload: Reload | None
    is_superseded: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it still has to be imported again: not reloaded, and no review closes it."""
        is_closed = self.file.job.review in CLOSED_REVIEWS
        return self.reload is None and not self.is_superseded and not is_closed


@dataclass(frozen=True, slots=True)
class GraphLostFiles:
    """The rows of one graph."""

    graph: Graph
    rows: list[LostFileRow] = field(default_factory=list)

    @property
    def jobs(self) -> list[Job]:
        """The jobs with files to import again, each once: a re-import plan is of one job."""
        return list({row.file.job_id: row.file.job for row in self._open_rows}.values())

    @property
    def paths(self) -> list[str]:
        """The paths to import again, each once."""
        return list(dict.fromkeys(row.file.path for row in self._open_rows if row.file.path))

    @property
    def key(self) -> str:
        """The value that the filter `graph` takes for it."""
        return self.graph.graph_id or self.graph.name

    @property
    def _open_rows(self) -> list[LostFileRow]:
        return [row for row in self.rows if row.is_open]


class LostTotals(TypedDict):
    """Sums over jobs; None where there is nothing to sum."""

    files: int | None
    lost: int | None


@dataclass(frozen=True, slots=True)
class LostFiles:
    """The lost files of jobs that began since a time.

    `job_conditions` are plain conditions on jobs, so that they can also be put over the join
    from files, where the order of the jobs is read from their index.
    """

    since: datetime
    job_conditions: dict[str, Any]

    def begun(self) -> QuerySet[ImportFile]:
        """The files of jobs with a begin time, annotated with it."""
        return self._files(begin_time__gte=self.since).annotate(begin_time=F("job__begin_time"))

    def unbegun(self) -> QuerySet[ImportFile]:
        """The files of jobs without a begin time, first seen since; newest job first."""
        return self._files(begin_time=None, first_seen_at__gte=self.since).order_by("-job", "pk")

    def rows(self) -> Iterator[LostFileRow]:
        """All rows, the newest job's first; holds FILES_AT_ONCE files and the paths seen so far."""
        newer_places: set[tuple[int, str]] = set()
        for files in (self.unbegun(), self.begun().order_by("-job__begin_time", "-pk")):
            stream = files.iterator(chunk_size=FILES_AT_ONCE)
            for chunk in batched(stream, FILES_AT_ONCE):
                yield from lost_file_rows(chunk, newer_places)

    def totals(self) -> LostTotals:
        """Sums over all of it."""
        return lost_since(Job.objects.filter(**self.job_conditions), self.since)

    def _files(self, **more_conditions: Any) -> QuerySet[ImportFile]:
        conditions = self.job_conditions | more_conditions
        of_jobs = {f"job__{name}": value for name, value in conditions.items()}
        files = ImportFile.objects.filter(LOST_FILE, job__lost_file_count__gt=0, **of_jobs)
        return with_loads(files, 1).select_related("job__graph", "job__project")


def lost_files_visible_to(
    user: Viewer, since: datetime, *, project_id: str = "", graph: str = ""
) -> LostFiles:
    """The lost files this user may see: of one project if its id is given, and of graphs whose
    id begins with `graph` or whose name is `graph`.
    """
    conditions: dict[str, Any] = {"is_hidden": False}
    project_pks = Project.objects.visible_ids(user)
    if project_id:
        projects = Project.objects.visible_to(user).filter(project_id=project_id)
        project_pks = list(projects.values_list("pk", flat=True))
    if project_pks is not None:
        conditions["project__in"] = project_pks
    if graph:
        graphs = Graph.objects.filter(Q(graph_id__startswith=graph) | Q(name=graph))
        conditions["graph__in"] = list(graphs.values_list("pk", flat=True))
    return LostFiles(since, conditions)


def lost_since(jobs: QuerySet[Job], since: datetime) -> LostTotals:
    """How many files of these jobs lost lines since, and how many lines."""
    begun = Q(begin_time__gte=since) | Q(begin_time=None, first_seen_at__gte=since)
    sums = jobs.filter(begun, lost_file_count__gt=0).aggregate(
        files=Sum("lost_file_count"), lost=Sum("failed_lines")
    )
    return LostTotals(files=sums["files"], lost=sums["lost"])


def lost_file_rows(
    files: Sequence[ImportFile], newer_places: set[tuple[int, str]] | None = None
) -> list[LostFileRow]:
    """Rows for these files, in their order.

    `newer_places`: graph and path of the rows that came before these; these are added to it.
    """
    places = set() if newer_places is None else newer_places
    rows: dict[int, LostFileRow] = {}
    newest_first = sorted(files, key=lambda file: (file.job.began_at, file.job_id), reverse=True)
    for file in newest_first:
        place = file.job.graph_id, file.path
        reload = next(iter(loads_of(file)), None)
        rows[file.pk] = LostFileRow(file, reload, bool(file.path) and place in places)
        places.add(place)
    return [rows[file.pk] for file in files]


def by_graph(rows: Iterable[LostFileRow]) -> list[GraphLostFiles]:
    """The rows grouped by graph, in the order in which the graphs first appear."""
    groups: dict[int, GraphLostFiles] = {}
    for row in rows:
        graph = row.file.job.graph
        groups.setdefault(graph.pk, GraphLostFiles(graph)).rows.append(row)
    return list(groups.values())
