"""The plan for importing failed files again: requests to send, and warnings to read before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.diagnosis.repair_requests import (
    GraphAddress,
    ImportRequest,
    RepairFile,
    import_request,
    planned_imports,
)
from jobs.diagnosis.repair_warnings import RepairWarning, repair_warnings
from jobs.diagnosis.verdict import is_lost

MAX_REQUESTS = 50  # written out; for more, a program makes them from the paths


@dataclass(frozen=True, slots=True)
class RepairKit:
    """A re-import plan.

    `paths` are those of all failed files in GES's order; `requests` are in the order to send, at
    most MAX_REQUESTS.
    """

    paths: tuple[str, ...] = ()
    requests: tuple[ImportRequest, ...] = ()
    warnings: tuple[RepairWarning, ...] = ()


def repair_kit(
    files: Sequence[RepairFile],
    *,
    endpoint: str,
    project_id: str,
    graph_id: str | None,
    loaded: Collection[str] = (),
) -> RepairKit:
    """The plan for those of an import's files that failed; an empty one when none did.

    `loaded` holds paths that are loaded by now. An unknown endpoint or graph id is a shell variable
    in the commands, $GES_ENDPOINT or $GRAPH_ID.
    """
    failed = [file for file in files if is_lost(file) and file.path not in loaded]
    if not failed:
        return RepairKit()

    imports = planned_imports(files, [file for file in failed if file.path])
    schemas = list(
        dict.fromkeys(file.path for file in files if file.kind == "schema" and file.path)
    )
    schema = schemas[0] if schemas else None
    address = GraphAddress(endpoint, project_id, graph_id)
    left_out = max(0, len(imports) - MAX_REQUESTS)
    return RepairKit(
        paths=tuple(dict.fromkeys(file.path for file in failed if file.path)),
        requests=tuple(
            import_request(planned, schema, address) for planned in imports[:MAX_REQUESTS]
        ),
        warnings=tuple(repair_warnings(failed, imports, schemas, address, left_out=left_out)),
    )
