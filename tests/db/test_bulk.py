"""Changes made together by one statement."""

import pytest

from jobs.db.bulk import Writes
from jobs.models import Graph, Project
from jobs.record import find_graph


def test_changes_of_several_tables_are_made_together(project):
    graphs = [find_graph(project, graph_id) for graph_id in ("g1", "g2")]
    writes = Writes()
    writes.update(Project, ["id", "name"], [(project.pk, "payments")])
    writes.update(Graph, ["id", "name"], [(graphs[0].pk, "first")])
    writes.delete(Graph, [graphs[1].pk])
    writes.run()
    project.refresh_from_db()
    assert project.name == "payments"
    assert list(Graph.objects.values_list("name", flat=True)) == ["first"]


@pytest.mark.parametrize(
    "change_again",
    [
        lambda writes, pk: writes.update(Graph, ["id", "name"], [(pk, "second")]),
        lambda writes, pk: writes.delete(Graph, [pk]),
        lambda writes, pk: writes.add("…", [], model=Graph, keys=[pk]),
    ],
)
def test_a_second_change_of_a_row_is_refused(change_again):
    writes = Writes()
    writes.update(Graph, ["id", "name"], [(1, "first"), (2, "first")])
    writes.update(Project, ["id", "name"], [(1, "of another table")])
    with pytest.raises(ValueError, match="Two changes of one Graph in one statement"):
        change_again(writes, 2)
    with pytest.raises(ValueError, match="Two changes of one Graph"):
        writes.update(Graph, ["id", "name"], [(3, "first"), (3, "second")])
