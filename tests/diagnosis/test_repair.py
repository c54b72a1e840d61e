import json
import subprocess
from dataclasses import dataclass

import pytest

from jobs.diagnosis.repair import MAX_REQUESTS, RepairKit, repair_kit


@dataclass
class File:
    kind: str
    path: str
    status: str = "success"
    successful_lines: int | None = None
    failed_lines: int | None = None
    total_lines: int | None = None
    log: str | None = None


def kit(
    *files: File, graph_id: str | None = "g1", endpoint: str = "https://ges.example"
) -> RepairKit:
    return repair_kit(files, endpoint=endpoint, project_id="p1", graph_id=graph_id)


def bodies(made: RepairKit) -> list[dict[str, object]]:
    return [json.loads(one.v1_body) for one in made.requests]


def warned(made: RepairKit, part: str) -> bool:
    return any(part in str(one.sentence) for one in made.warnings)


def arguments(command: str, **variables: str) -> list[str]:
    """What the shell hands to curl."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    ran = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"GES_TOKEN": "t0ken", **variables},
        capture_output=True,
        check=True,
    )
    assert ran.stderr == b""
    return ran.stdout.decode().split("\0")[:-1]


SCHEMA = File("schema", "b/in/schema.xml")
EDGE = File("edge", "b/in/e1.csv", "failed")
VERTEX = File("vertex", "b/in/v1.csv", "failed")


def test_nothing_lost_nothing_to_repair():
    assert kit(SCHEMA, File("edge", "b/e.csv")) == RepairKit()


def test_one_request_a_file_vertices_first():
    made = kit(EDGE, VERTEX, SCHEMA, File("edge", "b/in/e2.csv"))
    assert made.paths == ("b/in/e1.csv", "b/in/v1.csv")
    common = {"schemaPath": "b/in/schema.xml", "logDir": "b/import-logs", "offline": False}
    assert bodies(made) == [
        {"vertexsetPath": "b/in/v1.csv", **common},
        {"edgesetPath": "b/in/e1.csv", **common},
    ]
    assert [one.files for one in made.requests] == [("b/in/v1.csv",), ("b/in/e1.csv",)]


def test_what_is_loaded_by_now_is_left_out_and_so_is_its_directory():
    files = [File("edge", f"b/in/e{number}.csv", "failed") for number in range(3)]
    made = repair_kit(
        files,
        endpoint="https://ges.example",
        project_id="p1",
        graph_id="g1",
        loaded={"b/in/e1.csv"},
    )
    assert made.paths == ("b/in/e0.csv", "b/in/e2.csv")
    assert [one.path for one in made.requests] == ["b/in/e0.csv", "b/in/e2.csv"]
    assert kit(*files).requests[0].path == "b/in/"


def test_what_holds_for_every_import_stands_apart():
    made = kit(File("edge", "b/in/e1.csv", "partFailed"), SCHEMA)
    applying = [str(one.sentence) for one in made.warnings if not one.is_general]
    assert "a second time" in applying[0]
    assert not any("5 GB" in one or "hyphen" in one for one in applying)
    assert sum(one.is_general for one in made.warnings) > len(applying)


def test_the_whole_address_is_one_quoted_word():
    assert (
        "--url 'https://ges.example/v1.0/p1/graphs/g1/action?action_id=import-graph'"
        in kit(EDGE).requests[0].v1_curl
    )
    assert (
        '--url "$GES_ENDPOINT/v2/p1/graphs/$GRAPH_ID/import-graph"'
        in kit(EDGE, graph_id=None, endpoint="").requests[0].v2_curl
    )


def test_a_path_twice_is_one_request():
    assert len(kit(EDGE, EDGE).requests) == 1


@pytest.mark.parametrize(
    "partly",
    [
        File("edge", "b/in/e1.csv", "partFailed"),
        File("edge", "b/in/e1.csv", "success", failed_lines=2),
        File("edge", "b/in/e1.csv", "failed", successful_lines=1),
    ],
)
def test_a_partly_loaded_edge_file_does_not_double_its_edges(partly: File):
    made = kit(partly, File("edge", "b/in/e2.csv"))
    assert bodies(made)[0]["parallelEdge"] == {"action": "ignore", "ignoreLabel": False}
    assert json.loads(made.requests[0].v2_body)["parallel_edge"] == {
        "action": "ignore",
        "ignore_label": False,
    }
    assert warned(made, "a second time")


def test_only_partly_loaded_edge_files_need_that():
    made = kit(EDGE, File("vertex", "b/in/v1.csv", "partFailed"))
    assert not any("parallelEdge" in body for body in bodies(made))
    assert not warned(made, "a second time")
    assert warned(made, "already in the graph")


def test_a_directory_lost_as_a_whole_is_one_request():
    lost = [File("edge", f"b/in/edge/{n}.csv", "failed") for n in range(3)]
    made = kit(*lost, SCHEMA, File("vertex", "b/in/vertex/1.csv"))
    assert [body["edgesetPath"] for body in bodies(made)] == ["b/in/edge/"]
    assert made.requests[0].files == ("b/in/edge/0.csv", "b/in/edge/1.csv", "b/in/edge/2.csv")
    assert warned(made, "nothing else does")


@pytest.mark.parametrize(
    "beside",
    [
        File("edge", "b/in/edge/good.csv"),
        File("schema", "b/in/edge/schema.xml"),
        File("vertex", "b/in/edge/v.csv", "failed"),
        File("edge", "b/in/edge/below/good.csv"),
    ],
)
def test_a_directory_with_something_else_is_not(beside: File):
    made = kit(*[File("edge", f"b/in/edge/{n}.csv", "failed") for n in range(2)], beside)
    assert not any(str(body.get("edgesetPath", "")).endswith("/") for body in bodies(made))


def test_a_whole_bucket_is_never_named():
    made = kit(*[File("edge", f"b/{n}.csv", "failed") for n in range(2)])
    assert [body["edgesetPath"] for body in bodies(made)] == ["b/0.csv", "b/1.csv"]


def test_a_lost_schema_goes_with_the_files_or_alone():
    schema = File("schema", "b/in/schema.xml", "failed")
    assert [list(body) for body in bodies(kit(schema))] == [["schemaPath", "logDir", "offline"]]
    both = kit(schema, EDGE)
    assert len(both.requests) == 1
    assert both.paths == ("b/in/schema.xml", "b/in/e1.csv")


def test_bodies_use_keys_of_the_official_client(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where importing it writes
    from huaweicloudsdkges.v1.model.import_graph_req import ImportGraphReq as V1
    from huaweicloudsdkges.v2.model.import_graph_req import ImportGraphReq as V2
    from huaweicloudsdkges.v2.model.import_graph_req_parallel_edge import (
        ImportGraphReqParallelEdge as V2Parallel,
    )

    for one in kit(File("edge", "b/in/e1.csv", "partFailed"), VERTEX, SCHEMA).requests:
        v1, v2 = json.loads(one.v1_body), json.loads(one.v2_body)
        assert set(v1) <= set(V1.attribute_map.values())
        assert set(v2) <= set(V2.attribute_map.values())
        assert set(v2.get("parallel_edge", {})) <= set(V2Parallel.attribute_map.values())
        assert [*v1.values()][:2] == [*v2.values()][:2]


def test_commands_name_the_documented_addresses():
    one = kit(EDGE).requests[0]
    v1, v2 = arguments(one.v1_curl), arguments(one.v2_curl)
    assert v1[:4] == [
        "--request", "POST", "--url", "https://ges.example/v1.0/p1/graphs/g1/action?action_id=import-graph",
    ]  # fmt: skip
    assert v2[3] == "https://ges.example/v2/p1/graphs/g1/import-graph"
    assert "X-Auth-Token: t0ken" in v1
    assert v1[-1] == one.v1_body
    assert v2[-1] == one.v2_body


@pytest.mark.parametrize(
    "path",
    [
        'b/it\'s $(id) `id` "x" \\ !.csv',
        "b/line\nbreak\t.csv",
        "b/数据.csv",
        "b/\u202etxt.csv",
        "-d @/x",
    ],
)
def test_hostile_paths_stay_data(path: str):
    one = kit(File("edge", path, "failed")).requests[0]
    assert arguments(one.v1_curl)[-1] == one.v1_body
    assert json.loads(one.v1_body)["edgesetPath"] == path
    assert "\u202e" not in one.v1_curl


def test_what_is_not_known_is_a_variable():
    made = kit(EDGE, graph_id=None, endpoint="")
    got = arguments(made.requests[0].v2_curl, GES_ENDPOINT="http://x", GRAPH_ID="g9")
    assert got[3] == "http://x/v2/p1/graphs/g9/import-graph"
    assert warned(made, "GES_TOKEN, GES_ENDPOINT, GRAPH_ID")


@pytest.mark.parametrize(
    ("path", "bad"),
    [("b/a-b_c.*'()!/数.csv", False), ("b/a b.csv", True), ("b/a+b.csv", True), ("b/é", True)],
)
def test_paths_that_ges_does_not_accept_are_named(path: str, bad: bool):
    assert warned(kit(File("edge", path, "failed")), "does not accept") is bad


def test_many_requests_are_bounded_the_paths_are_not():
    made = kit(*[File("edge", f"b/{n}.csv", "failed") for n in range(MAX_REQUESTS + 2)])
    assert len(made.requests) == MAX_REQUESTS
    assert len(made.paths) == MAX_REQUESTS + 2
    assert warned(made, "2 more requests")


def test_a_file_without_a_path_is_counted():
    made = kit(File("edge", "", "failed"))
    assert made.requests == ()
    assert warned(made, "no path for 1 of the lost files")


def test_warnings_name_their_source_and_fit_the_import():
    made = kit(EDGE, SCHEMA)
    assert all(one.source for one in made.warnings)
    assert warned(made, "5 GB")
    assert warned(made, "no log")
    assert not warned(kit(File("edge", "b/e.csv", "failed", log="b/l")), "no log")
    assert not warned(made, "one after another")
    assert warned(kit(EDGE, VERTEX), "one after another")
    assert warned(kit(EDGE), "no schema file")
    assert warned(kit(EDGE, SCHEMA, File("schema", "b/other.xml")), "2 schema files")
