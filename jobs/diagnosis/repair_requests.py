"""The requests that import lost files again. gesdash sends none of them; they are for a person to read, change and send.

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
    """A file's figures with where it lies: path and log as bucket/key."""

    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def log(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Request:
    """One import: `path` is what it names, a file, or with a slash at its end the directory of these `files`."""

    kind: str
    path: str
    files: tuple[str, ...]
    v1_body: str
    v2_body: str
    v1_curl: str
    v2_curl: str


@dataclass(frozen=True, slots=True)
class Import:
    """What one request imports: a file, or a directory with all `files` of it."""

    kind: str
    path: str
    files: tuple[RepairFile, ...]

    @property
    def is_directory(self) -> bool:
        """Whether it names a directory in place of its files."""
        return self.path != self.files[0].path


@dataclass(frozen=True, slots=True)
class Door:
    """Where GES takes imports of one graph; an endpoint or graph id not known is left to a shell variable."""

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
        """The command for a POSIX shell; the token is the shell's variable."""
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
    """Whether lines of this lost file may stand in the graph already."""
    return verdict.file_verdict(file) is not Verdict.FAILED or (file.successful_lines or 0) > 0


def imports(files: Sequence[RepairFile], lost: Sequence[RepairFile]) -> list[Import]:
    """A request takes one path of a kind: so one each, vertices before the edges between them, and directories as wholes."""
    found: dict[tuple[str, str], list[RepairFile]] = {}
    paths = {file.path for file in lost}
    whole = _lost_directories(files, paths)
    for kind in ("vertex", "edge"):
        for file in lost:
            if file.kind == kind:
                directory = _directory(file.path)
                found.setdefault(
                    (kind, f"{directory}/" if directory in whole else file.path), []
                ).append(file)
    # Every other request carries the schema; it needs one of its own only where nothing else is lost.
    if not found:
        for file in lost:
            found.setdefault(("schema", file.path), []).append(file)
    return [Import(kind, path, tuple(rows)) for (kind, path), rows in found.items()]


def _lost_directories(files: Iterable[RepairFile], wanted: Collection[str]) -> set[str]:
    """Directories of which all files of this import are lost and wanted, two at least, of one kind; never a whole bucket.

    One with directories below is left apart: whether GES reads those too is not documented.
    """
    inside: dict[str, list[RepairFile]] = {}
    above: set[str] = set()
    for file in files:
        directory = _directory(file.path)
        inside.setdefault(directory, []).append(file)
        while directory:
            directory = _directory(directory)
            if directory in above:
                break
            above.add(directory)
    return {
        directory
        for directory, rows in inside.items()
        if "/" in directory
        and directory not in above
        and len({file.path for file in rows}) > 1
        and {file.kind for file in rows} in ({"vertex"}, {"edge"})
        and all(verdict.is_lost(file) and file.path in wanted for file in rows)
    }


def _directory(path: str) -> str:
    return path.rpartition("/")[0]


def request(one: Import, schema: str | None, door: Door) -> Request:
    """The request in both versions of the API, with the import's schema where there was one."""
    body = _body(one, schema)
    v1, v2 = _text(body), _text(_with_v2_keys(body))
    return Request(
        kind=one.kind,
        path=one.path,
        files=tuple(dict.fromkeys(file.path for file in one.files)),
        v1_body=v1,
        v2_body=v2,
        v1_curl=door.curl("/v1.0", "/action?action_id=import-graph", v1),
        v2_curl=door.curl("/v2", "/import-graph", v2),
    )


def _body(one: Import, schema: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {_PATH_KEYS[one.kind]: one.path}
    if schema and one.kind != "schema":
        body["schemaPath"] = schema
    bucket, slash, _ = one.path.partition("/")
    if bucket and slash:
        body["logDir"] = f"{bucket}/import-logs"
    if one.kind == "edge" and any(map(is_partly_loaded, one.files)):
        # Two edges of different labels between the same vertices are two edges, so the label must count.
        body["parallelEdge"] = {"action": "ignore", "ignoreLabel": False}
    body["offline"] = False
    return body


def _with_v2_keys(body: dict[str, Any]) -> dict[str, Any]:
    return {
        _V2_KEYS.get(key, key): _with_v2_keys(value) if isinstance(value, dict) else value
        for key, value in body.items()
    }


def _text(body: dict[str, Any]) -> str:
    """JSON in which nothing is hidden: control and direction characters of a path are escaped, its letters stay readable."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return "".join(one if one.isprintable() or one == "\n" else _escape(one) for one in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(character)[1:-1]
