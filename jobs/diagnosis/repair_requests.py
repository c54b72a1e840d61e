"""The requests that import failed files again.

gesdash sends none of them: they are for a person to read, change and send.

Source: GES API Reference, importing incrementally, v1 (ges_03_0161) and v2 (ges_03_0073).
"""

import json
import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from jobs.diagnosis import verdict
from jobs.ges.words import Verdict

_V2_KEYS = {
    "edgesetPath": "edgeset_path",
    "vertexsetPath": "vertexset_path",
    "schemaPath": "schema_path",
    "logDir": "log_dir",
    "parallelEdge": "parallel_edge",
    "ignoreLabel": "ignore_label",
}
_PATH_KEYS = {"vertex": "vertexsetPath", "edge": "edgesetPath", "schema": "schemaPath"}


class RepairFile(verdict.FileCounts, Protocol):
    """A file's counts with its place in OBS."""

    @property
    def path(self) -> str:
        """Of the file, as bucket/key."""

    @property
    def log(self) -> str | None:
        """Path of its error log, as bucket/key."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A request for one import; a `path` that ends in a slash is the directory of its `files`."""

    kind: str
    path: str
    files: tuple[str, ...]
    v1_body: str
    v2_body: str
    v1_curl: str
    v2_curl: str


@dataclass(frozen=True, slots=True)
class PlannedImport:
    """The import of a file, or of a directory with all its `files`."""

    kind: str
    path: str
    files: tuple[RepairFile, ...]

    @property
    def is_directory(self) -> bool:
        """Whether `path` is a directory in place of its files."""
        return self.path != self.files[0].path


@dataclass(frozen=True, slots=True)
class GraphAddress:
    """The address of one graph; an unknown endpoint or graph id is left to a shell variable."""

    endpoint: str
    project_id: str
    graph_id: str | None

    @property
    def variables(self) -> list[str]:
        """The shell variables that a command reads."""
        return [
            "GES_TOKEN",
            *([] if self.endpoint else ["GES_ENDPOINT"]),
            *(["GRAPH_ID"] if self.graph_id is None else []),
        ]

    def curl(self, version: str, action: str, body: str) -> str:
        """A command for a POSIX shell; the token is a shell variable."""
        path = f"{version}/{quote(self.project_id, safe='')}/graphs/"
        if self.endpoint and self.graph_id is not None:
            url = shlex.quote(
                f"{self.endpoint.rstrip('/')}{path}{quote(self.graph_id, safe='')}{action}"
            )
        else:
            start = re.sub(r'([\\"$`])', r"\\\1", self.endpoint.rstrip("/")) or "$GES_ENDPOINT"
            graph = "$GRAPH_ID" if self.graph_id is None else quote(self.graph_id, safe="")
            url = f'"{start}{path}{graph}{action}"'
        return (
            f"curl --request POST --url {url} \\\n"
            f'  -H "X-Auth-Token: $GES_TOKEN" -H "Content-Type: application/json" \\\n'
            f"  --data-raw {shlex.quote(body)}"
        )


def is_partly_loaded(file: RepairFile) -> bool:
    """Whether lines of this failed file may be in the graph already."""
    return verdict.file_verdict(file) is not Verdict.FAILED or (file.successful_lines or 0) > 0


def planned_imports(
    files: Sequence[RepairFile], failed: Sequence[RepairFile]
) -> list[PlannedImport]:
    """The imports of the failed files: vertices before the edges between them.

    A request takes one path of each kind, so there is one for each file, or for a whole directory.
    """
    files_by_import: dict[tuple[str, str], list[RepairFile]] = {}
    directories = _failed_directories(files, {file.path for file in failed})
    for kind in ("vertex", "edge"):
        for file in failed:
            if file.kind == kind:
                directory = _directory(file.path)
                path = f"{directory}/" if directory in directories else file.path
                files_by_import.setdefault((kind, path), []).append(file)
    # Every other request carries the schema: it needs its own only where nothing else failed.
    if not files_by_import:
        for file in failed:
            files_by_import.setdefault(("schema", file.path), []).append(file)
    return [
        PlannedImport(kind, path, tuple(rows)) for (kind, path), rows in files_by_import.items()
    ]


def _failed_directories(files: Iterable[RepairFile], failed_paths: Collection[str]) -> set[str]:
    """Directories of at least two files, all of one kind and all failed; never a whole bucket.

    One with directories below is left out: whether GES reads those too is not documented.
    """
    files_by_directory: dict[str, list[RepairFile]] = {}
    parents: set[str] = set()
    for file in files:
        directory = _directory(file.path)
        files_by_directory.setdefault(directory, []).append(file)
        while directory:
            directory = _directory(directory)
            if directory in parents:
                break
            parents.add(directory)
    return {
        directory
        for directory, rows in files_by_directory.items()
        if "/" in directory
        and directory not in parents
        and len({file.path for file in rows}) > 1
        and {file.kind for file in rows} in ({"vertex"}, {"edge"})
        and all(verdict.is_lost(file) and file.path in failed_paths for file in rows)
    }


def _directory(path: str) -> str:
    return path.rpartition("/")[0]


def import_request(
    planned: PlannedImport, schema: str | None, address: GraphAddress
) -> ImportRequest:
    """The request in both versions of the API, with the import's schema where there was one."""
    body = _body(planned, schema)
    v1 = _readable_json(body)
    v2 = _readable_json(_with_v2_keys(body))
    return ImportRequest(
        kind=planned.kind,
        path=planned.path,
        files=tuple(dict.fromkeys(file.path for file in planned.files)),
        v1_body=v1,
        v2_body=v2,
        v1_curl=address.curl("/v1.0", "/action?action_id=import-graph", v1),
        v2_curl=address.curl("/v2", "/import-graph", v2),
    )


def _body(planned: PlannedImport, schema: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {_PATH_KEYS[planned.kind]: planned.path}
    if schema and planned.kind != "schema":
        body["schemaPath"] = schema
    bucket, slash, _ = planned.path.partition("/")
    if bucket and slash:
        body["logDir"] = f"{bucket}/import-logs"
    if planned.kind == "edge" and any(map(is_partly_loaded, planned.files)):
        # Two edges of different labels between the same vertices are two edges, so the label must
        # count.
        body["parallelEdge"] = {"action": "ignore", "ignoreLabel": False}
    body["offline"] = False
    return body


def _with_v2_keys(body: dict[str, Any]) -> dict[str, Any]:
    return {
        _V2_KEYS.get(key, key): _with_v2_keys(value) if isinstance(value, dict) else value
        for key, value in body.items()
    }


def _readable_json(body: dict[str, Any]) -> str:
    """JSON in which nothing is hidden: unprintable characters are escaped, all others are not."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return "".join(
        character if character.isprintable() or character == "\n" else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(character)[1:-1]
