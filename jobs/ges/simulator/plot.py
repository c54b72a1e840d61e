"""The plot of the simulated history: its graphs, and the nights in which their imports fail.

Nights are counted back from the story's epoch: 0 is the newest.
"""

from collections.abc import Collection
from dataclasses import dataclass

NIGHTS = 28  # a little less than the month that GES remembers
GONE_FILE = (
    "GES.7017: The object does not exist. Check whether the bucket or object name is correct."
)


@dataclass(frozen=True, slots=True)
class GraphPlot:
    """A graph and its nightly import.

    `files` counts the schema file too; `dated` puts them into a folder with the date.
    """

    graph_id: str | None  # None: deleted, its jobs are listed and it is not
    name: str
    files: int
    nights: range
    dated: bool = True
    living: bool = True  # still imports during the day, as long as the simulator runs


GRAPHS = [
    GraphPlot(
        "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a01", "payments_graph", 31, range(NIGHTS), dated=False
    ),
    GraphPlot("5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a02", "社交关系图", 24, range(NIGHTS)),
    GraphPlot(
        "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a03", "supply_chain", 18, range(NIGHTS), dated=False
    ),
    GraphPlot("5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a04", "fraud_rings", 27, range(NIGHTS)),
    # Its last import was five days ago.
    GraphPlot(
        "5f3c1b7a-6f0e-4d7e-9a53-0c7b7e2d1a05", "device_links", 12, range(5, NIGHTS), living=False
    ),
    GraphPlot(None, "legacy_customers", 15, range(18, NIGHTS), living=False),
]
BY_NAME = {graph.name: graph for graph in GRAPHS}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A cause of loss in the same files of a graph's import in some nights.

    `{n}` in the cause is another number every time.
    """

    graph: str
    nights: Collection[int]
    cause: str
    files: tuple[str, ...]
    whole: bool = False  # nothing of the file loads


TROUBLES = [
    Trouble("payments_graph", (25, 18, 11),
            "line {n}: property count 5 does not match label 'user' (6 expected)",
            ("vertex/part-0003.csv", "vertex/part-0007.csv")),
    Trouble("payments_graph", (22, 18, 15, 8, 4),
            "vertex [U{n}] of edge does not exist",
            ("edge/part-0002.csv", "edge/part-0011.csv", "edge/part-0012.csv")),
    # Began in the middle of the story and was fixed.
    Trouble("社交关系图", range(13, 21),
            "line {n}: char array of property 'name' is longer than 64",
            ("vertex/part-0001.csv",)),
    Trouble("社交关系图", (9, 6, 2),
            "line {n}: 数据列数与元数据不一致",
            ("edge/part-0000.csv", "edge/part-0005.csv")),
    # The same file, night after night, and nothing of it loads.
    Trouble("supply_chain", range(12), GONE_FILE, ("edge/part-0004.csv",), whole=True),
    Trouble("supply_chain", (24, 23, 22),
            "line {n}: value 'n/a' of property 'amount' is not a double",
            ("edge/part-0001.csv", "edge/part-0006.csv")),
    # Began a week ago and goes on.
    Trouble("fraud_rings", range(8),
            "label [merchant_v2] is not in the metadata",
            ("vertex/part-0002.csv", "vertex/part-0008.csv", "edge/part-0003.csv")),
    Trouble("fraud_rings", (19, 12, 3),
            "edge source vertex [A{n}] does not exist",
            ("edge/part-0009.csv",)),
    Trouble("device_links", (21, 14, 7),
            "line {n}: 'GOLD' is not listed for enum 'tier'",
            ("vertex/part-0000.csv",)),
    Trouble("device_links", (14, 9), "line {n}: vertex id is empty", ("vertex/part-0002.csv",)),
    Trouble("legacy_customers", (26, 23, 19),
            "line {n}: '2026-13-01' is not a date (YYYY-MM-DD HH:MM:SS)",
            ("edge/part-0002.csv",)),
]  # fmt: skip
CAUSES = {
    graph.name: list(
        dict.fromkeys(trouble.cause for trouble in TROUBLES if trouble.graph == graph.name)
    )
    for graph in GRAPHS
}

# Nights whose import loaded nothing at all.
FAILED = {("payments_graph", 20), ("社交关系图", 5), ("fraud_rings", 16)}
# Nights with failed files that alone were imported again an hour later.
REPAIRED = {
    ("payments_graph", 18),
    ("payments_graph", 11),
    ("payments_graph", 4),
    ("社交关系图", 6),
    ("fraud_rings", 12),
}

# One job each of what is rare.
QUIRKS = {
    ("社交关系图", 10): "does not add up",
    ("device_links", 17): "unknown word",
    ("payments_graph", 13): "cancelled",
    ("supply_chain", 16): "unreported",
    ("fraud_rings", 11): "unreported",
    ("device_links", 6): "unreported",
    ("legacy_customers", 25): "huge",
}

# In the last import before the epoch, 450 lines of this file failed. It has as many every night.
SPOILED_FILE = "vertex/part-0003.csv"
SPOILED_LINES = 1659
SPOILED_LOSS = 450

MARKUP = "<script>alert(1)</script>"
HOSTILE_CAUSE = (
    f"""line 7: value "{MARKUP}" of property 'name' holds characters that are not allowed"""
)
LONG_CAUSE = "line 12: too many values: " + ", ".join(
    f"'value {number:04d}'" for number in range(950)
)

OTHER_JOBS = [
    *("ExportGraph", "CreateBackup", "StopGraph", "StartGraph", "ClearGraph", "RestoreGraph"),
    *("UpgradeGraph", "RestartGraph", "ResizeGraph", "ExpandGraph", "ExportBackup", "ImportBackup"),
]
