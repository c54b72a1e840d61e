"""Which graph a job belongs to: GES's job list has only graph names, and names are used again."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from jobs.ges.fields import MAX_ID
from jobs.ges.shapes import GraphReply, JobReply
from jobs.models import Graph, Job, Project
from jobs.record.graphs import move_jobs, note_beside_correction

_EARLIEST = datetime.min.replace(tzinfo=UTC)


class GraphsByName:
    """A project's graphs by the names GES gave them, with those that it no longer lists."""

    def __init__(self, project: Project) -> None:
        self._project = project
        graphs = list(Graph.objects.filter(project=project).select_related("merged_into"))
        self.by_id = {graph.graph_id: graph for graph in graphs if graph.graph_id}
        self._names = {graph_id: graph.name for graph_id, graph in self.by_id.items()}
        self._without_id = {
            graph.name: graph.merged_into or graph for graph in graphs if not graph.graph_id
        }

    def bring_up_to_date(self, listed: Collection[GraphReply], *, is_whole: bool) -> None:
        """Take over GES's list, under people's corrections.

        Graphs that are not in it are marked as deleted, if it was read whole.
        """
        for reply in listed:
            name = reply.name[:MAX_ID]
            values = {"name": name, "created_at": reply.created_at, "is_deleted": False}
            graph = self.by_id.get(reply.graph_id)
            if graph is None:
                graph, _ = Graph.objects.get_or_create(
                    project=self._project, graph_id=reply.graph_id, defaults=values
                )
                self.by_id[reply.graph_id] = graph
            self._names[reply.graph_id] = name
            _update(graph, values)
        if is_whole:
            listed_ids = {reply.graph_id for reply in listed}
            for graph_id, graph in self.by_id.items():
                if graph_id not in listed_ids:
                    _update(graph, {"is_deleted": True})

    def of(self, reply: JobReply) -> Graph:
        """The graph that had the reply's graph name when the job began.

        Of the graphs of that name that were created by then, it is the newest. Where there is none,
        it is a row with the name alone.
        """
        name, begin = (reply.related_graph or "")[:MAX_ID], reply.begin_time
        graphs = [self.by_id[graph_id] for graph_id, other in self._names.items() if other == name]
        candidates = [
            graph
            for graph in graphs
            if begin is None or graph.created_at is None or graph.created_at <= begin
        ]
        if candidates:
            return max(
                candidates, key=lambda graph: (graph.created_at or _EARLIEST, not graph.is_deleted)
            )
        if name not in self._without_id:
            self._without_id[name], _ = Graph.objects.get_or_create(
                project=self._project, graph_id=None, name=name, defaults={"is_deleted": True}
            )
        return self._without_id[name]

    def adopt(self, jobs: Collection[tuple[Job, JobReply]]) -> None:
        """Move jobs whose graph was known by name only to their graph, once its id is known.

        From then on GES can be asked about them.
        """
        for job, reply in jobs:
            if job.graph.graph_id is None and (graph := self.of(reply)).graph_id is not None:
                move_jobs([job.pk], graph.pk, origin=job.graph.pk)
                job.graph = graph


def _update(graph: Graph, values: Mapping[str, str | bool | datetime | None]) -> None:
    """Write those values that differ, unless a person corrected the field."""
    changed = {name: value for name, value in values.items() if getattr(graph, name) != value}
    for name, value in list(changed.items()):
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
        if name != "created_at" and note_beside_correction(graph, name, text):
            del changed[name]
    if changed:
        Graph.objects.filter(pk=graph.pk).update(**changed)
        for name, value in changed.items():
            setattr(graph, name, value)
