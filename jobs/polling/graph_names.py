"""Which graph a job belongs to: GES's job list has only the graph's name, and names are used again."""

from collections.abc import Collection
from datetime import UTC, datetime

from jobs.ges.fields import MAX_ID
from jobs.ges.shapes import GraphReply, JobReply
from jobs.models import Graph, Job, Project
from jobs.record.graphs import tell_graph

_EVER = datetime.min.replace(tzinfo=UTC)


class GraphsByName:
    """A project's graphs by the names GES gave them, those that it lists no longer too."""

    def __init__(self, project: Project) -> None:
        self._project = project
        known = list(Graph.objects.filter(project=project).select_related("merged_into"))
        self.by_id: dict[str, Graph] = {graph.graph_id: graph for graph in known if graph.graph_id}
        self._names = {graph_id: graph.name for graph_id, graph in self.by_id.items()}
        self._bare = {
            graph.name: graph.merged_into or graph for graph in known if not graph.graph_id
        }

    def bring_up_to_date(self, listed: Collection[GraphReply], *, are_all: bool) -> None:
        """Make GES's list ours, under people's corrections; what it has no longer is marked, where it was read whole."""
        for one in listed:
            told = {"name": one.name[:MAX_ID], "created_at": one.created_at, "is_deleted": False}
            graph = self.by_id.get(one.graph_id)
            if graph is None:
                graph, _ = Graph.objects.get_or_create(
                    project=self._project, graph_id=one.graph_id, defaults=told
                )
                self.by_id[one.graph_id] = graph
            self._names[one.graph_id] = one.name[:MAX_ID]
            _tell(graph, told)
        if are_all:
            ids = {one.graph_id for one in listed}
            for graph_id, graph in self.by_id.items():
                if graph_id not in ids:
                    _tell(graph, {"is_deleted": True})

    def of(self, reply: JobReply) -> Graph:
        """The graph that bore the name when the job began; one known by name only where no such graph is known.

        A graph is newer than the job when it was created after the job began. Of those that are not, it is the newest.
        """
        name, begin = (reply.related_graph or "")[:MAX_ID], reply.begin_time
        named = [self.by_id[graph_id] for graph_id, known in self._names.items() if known == name]
        older = [
            graph
            for graph in named
            if begin is None or graph.created_at is None or graph.created_at <= begin
        ]
        if older:
            return max(older, key=lambda graph: (graph.created_at or _EVER, not graph.is_deleted))
        if name not in self._bare:
            self._bare[name], _ = Graph.objects.get_or_create(
                project=self._project, graph_id=None, name=name, defaults={"is_deleted": True}
            )
        return self._bare[name]

    def adopt(self, jobs: Collection[tuple[Job, JobReply]]) -> None:
        """Move jobs that were known by their graph's name only to the graph, once it is known: GES can then be asked."""
        for job, reply in jobs:
            if job.graph.graph_id is None and (graph := self.of(reply)).graph_id is not None:
                Job.objects.filter(pk=job.pk, graph=job.graph).update(graph=graph)
                job.graph = graph


def _tell(graph: Graph, told: dict[str, str | bool | datetime | None]) -> None:
    """Write what came to differ, unless a person corrected it."""
    other = {name: value for name, value in told.items() if getattr(graph, name) != value}
    for name, value in list(other.items()):
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if name != "created_at" and tell_graph(graph, name, text):
            del other[name]
    if other:
        Graph.objects.filter(pk=graph.pk).update(**other)
        for name, value in other.items():
            setattr(graph, name, value)
