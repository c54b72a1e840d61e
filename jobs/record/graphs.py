"""What GES says of graphs: their rows, and the corrections that stand over them."""

from jobs.diagnosis.corrections import standing
from jobs.models import Correction, Graph, Project


def tell_graph(graph: Graph, field: str, said: str) -> bool:
    """Whether a correction stands over this field; what GES says is kept beside it then, and flags it."""
    one = Correction.objects.standing().filter(graph=graph, field=field).first()
    if one is None:
        return False
    flag = standing(one.observed, said, one.corrected)
    if (one.newest, one.flag) != (said, flag):
        Correction.objects.filter(pk=one.pk).update(newest=said, flag=flag)
    return True


def find_graph(project: Project, graph_id: str, name: str = "") -> Graph:
    """The graph with this id, made if missing; a row that had only the name gets its id."""
    graph, made = Graph.objects.get_or_create(
        project=project, graph_id=graph_id, defaults={"name": name}
    )
    if not made and name and graph.name != name and not tell_graph(graph, "name", name):
        graph.name = name
        graph.save(update_fields=["name"])
    return graph
