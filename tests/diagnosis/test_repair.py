"""Requests and a shell script that load again what an import lost."""

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


def plan_for(
    *files: File, graph_id: str | None = "g1", endpoint: str = "https://ges.example"
) -> RepairKit:
    return repair_kit(files, endpoint=endpoint, project_id="p1", graph_id=graph_id)


def bodies(plan: RepairKit) -> list[dict[str, object]]:
    return [json.loads(request.v1_body) for request in plan.requests]


def warned(plan: RepairKit, part: str) -> bool:
    return any(part in str(request.sentence) for request in plan.warnings)


def arguments(command: str, **variables: str) -> list[str]:
    """The arguments that the shell passes to curl."""
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


def test_without_failures_there_is_nothing_to_repair():
    assert plan_for(SCHEMA, File("edge", "b/e.csv")) == RepairKit()


def test_one_request_a_file_vertices_first():
    plan = plan_for(EDGE, VERTEX, SCHEMA, File("edge", "b/in/e2.csv"))
    assert plan.paths == ("b/in/e1.csv", "b/in/v1.csv")
    common = {"schemaPath": "b/in/schema.xml", "logDir": "b/import-logs", "offline": False}
    assert bodies(plan) == [
        {"vertexsetPath": "b/in/v1.csv", **common},
        {"edgesetPath": "b/in/e1.csv", **common},
    ]
    assert [request.files for request in plan.requests] == [("b/in/v1.csv",), ("b/in/e1.csv",)]


def test_reloaded_files_and_their_directories_are_left_out():
    files = [File("edge", f"b/in/e{number}.csv", "failed") for number in range(3)]
    plan = repair_kit(
        files,
        endpoint="https://ges.example",
        project_id="p1",
        graph_id="g1",
        loaded={"b/in/e1.csv"},
    )
    assert plan.paths == ("b/in/e0.csv", "b/in/e2.csv")
    assert [request.path for request in plan.requests] == ["b/in/e0.csv", "b/in/e2.csv"]
    assert plan_for(*files).requests[0].path == "b/in/"


def test_general_warnings_are_marked():
    plan = plan_for(File("edge", "b/in/e1.csv", "partFailed"), SCHEMA)
    applying = [str(request.sentence) for request in plan.warnings if not request.is_general]
    assert "a second time" in applying[0]
    assert not any("5 GB" in request or "hyphen" in request for request in applying)
    assert sum(request.is_general for request in plan.warnings) > len(applying)


def test_whole_address_is_one_quoted_argument():
    assert (
        "--url 'https://ges.example/v1.0/p1/graphs/g1/action?action_id=import-graph'"
        in plan_for(EDGE).requests[0].v1_curl
    )
    assert (
        '--url "$GES_ENDPOINT/v2/p1/graphs/$GRAPH_ID/import-graph"'
        in plan_for(EDGE, graph_id=None, endpoint="").requests[0].v2_curl
    )


def test_a_path_twice_is_one_request():
    assert len(plan_for(EDGE, EDGE).requests) == 1


@pytest.mark.parametrize(
    "partly",
    [
        File("edge", "b/in/e1.csv", "partFailed"),
        File("edge", "b/in/e1.csv", "success", failed_lines=2),
        File("edge", "b/in/e1.csv", "failed", successful_lines=1),
    ],
)
def test_a_partly_loaded_edge_file_does_not_double_its_edges(partly: File):
    plan = plan_for(partly, File("edge", "b/in/e2.csv"))
    assert bodies(plan)[0]["parallelEdge"] == {"action": "ignore", "ignoreLabel": False}
    assert json.loads(plan.requests[0].v2_body)["parallel_edge"] == {
        "action": "ignore",
        "ignore_label": False,
    }
    assert warned(plan, "a second time")


def test_only_partly_loaded_edge_files_ignore_parallel_edges():
    plan = plan_for(EDGE, File("vertex", "b/in/v1.csv", "partFailed"))
    assert not any("parallelEdge" in body for body in bodies(plan))
    assert not warned(plan, "a second time")
    assert warned(plan, "already in the graph")


def test_a_directory_whose_files_all_failed_is_one_request():
    lost = [File("edge", f"b/in/edge/{n}.csv", "failed") for n in range(3)]
    plan = plan_for(*lost, SCHEMA, File("vertex", "b/in/vertex/1.csv"))
    assert [body["edgesetPath"] for body in bodies(plan)] == ["b/in/edge/"]
    assert plan.requests[0].files == ("b/in/edge/0.csv", "b/in/edge/1.csv", "b/in/edge/2.csv")
    assert warned(plan, "nothing else is in it")


@pytest.mark.parametrize(
    "beside",
    [
        File("edge", "b/in/edge/good.csv"),
        File("schema", "b/in/edge/schema.xml"),
        File("vertex", "b/in/edge/v.csv", "failed"),
        File("edge", "b/in/edge/below/good.csv"),
    ],
)
def test_a_directory_with_other_files_is_not_one_request(beside: File):
    plan = plan_for(*[File("edge", f"b/in/edge/{n}.csv", "failed") for n in range(2)], beside)
    assert not any(str(body.get("edgesetPath", "")).endswith("/") for body in bodies(plan))


def test_a_whole_bucket_is_never_named():
    plan = plan_for(*[File("edge", f"b/{n}.csv", "failed") for n in range(2)])
    assert [body["edgesetPath"] for body in bodies(plan)] == ["b/0.csv", "b/1.csv"]


def test_a_failed_schema_goes_with_the_files_or_alone():
    schema = File("schema", "b/in/schema.xml", "failed")
    assert [list(body) for body in bodies(plan_for(schema))] == [
        ["schemaPath", "logDir", "offline"]
    ]
    both = plan_for(schema, EDGE)
    assert len(both.requests) == 1
    assert both.paths == ("b/in/schema.xml", "b/in/e1.csv")


def test_bodies_use_keys_of_the_official_client(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # where importing it writes
    from huaweicloudsdkges.v1.model.import_graph_req import ImportGraphReq as V1
    from huaweicloudsdkges.v2.model.import_graph_req import ImportGraphReq as V2
    from huaweicloudsdkges.v2.model.import_graph_req_parallel_edge import (
        ImportGraphReqParallelEdge as V2Parallel,
    )

    for request in plan_for(File("edge", "b/in/e1.csv", "partFailed"), VERTEX, SCHEMA).requests:
        v1, v2 = json.loads(request.v1_body), json.loads(request.v2_body)
        assert set(v1) <= set(V1.attribute_map.values())
        assert set(v2) <= set(V2.attribute_map.values())
        assert set(v2.get("parallel_edge", {})) <= set(V2Parallel.attribute_map.values())
        assert [*v1.values()][:2] == [*v2.values()][:2]


def test_commands_name_the_documented_addresses():
    request = plan_for(EDGE).requests[0]
    v1, v2 = arguments(request.v1_curl), arguments(request.v2_curl)
    assert v1[:4] == [
        "--request",
        "POST",
        "--url",
        "https://ges.example/v1.0/p1/graphs/g1/action?action_id=import-graph",
    ]
    assert v2[3] == "https://ges.example/v2/p1/graphs/g1/import-graph"
    assert "X-Auth-Token: t0ken" in v1
    assert v1[-1] == request.v1_body
    assert v2[-1] == request.v2_body


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
    request = plan_for(File("edge", path, "failed")).requests[0]
    assert arguments(request.v1_curl)[-1] == request.v1_body
    assert json.loads(request.v1_body)["edgesetPath"] == path
    assert "\u202e" not in request.v1_curl


def test_an_unknown_endpoint_or_graph_is_a_shell_variable():
    plan = plan_for(EDGE, graph_id=None, endpoint="")
    got = arguments(plan.requests[0].v2_curl, GES_ENDPOINT="http://x", GRAPH_ID="g9")
    assert got[3] == "http://x/v2/p1/graphs/g9/import-graph"
    assert warned(plan, "GES_TOKEN, GES_ENDPOINT, GRAPH_ID")


@pytest.mark.parametrize(
    ("path", "bad"),
    [("b/a-b_c.*'()!/数.csv", False), ("b/a b.csv", True), ("b/a+b.csv", True), ("b/é", True)],
)
def test_paths_that_ges_does_not_accept_are_named(path: str, bad: bool):
    assert warned(plan_for(File("edge", path, "failed")), "does not accept") is bad


def test_many_requests_are_bounded_the_paths_are_not():
    plan = plan_for(*[File("edge", f"b/{n}.csv", "failed") for n in range(MAX_REQUESTS + 2)])
    assert len(plan.requests) == MAX_REQUESTS
    assert len(plan.paths) == MAX_REQUESTS + 2
    assert warned(plan, "2 more requests")


def test_a_file_without_a_path_is_counted():
    plan = plan_for(File("edge", "", "failed"))
    assert plan.requests == ()
    assert warned(plan, "no path for 1 of the failed files")


def test_warnings_name_their_source_and_fit_the_import():
    plan = plan_for(EDGE, SCHEMA)
    assert all(request.source for request in plan.warnings)
    assert warned(plan, "5 GB")
    assert warned(plan, "no log")
    assert not warned(plan_for(File("edge", "b/e.csv", "failed", log="b/l")), "no log")
    assert not warned(plan, "one at a time")
    assert warned(plan_for(EDGE, VERTEX), "one at a time")
    assert warned(plan_for(EDGE), "no metadata file")
    assert warned(plan_for(EDGE, SCHEMA, File("schema", "b/other.xml")), "2 metadata files")
