"""The repair kit of an import that lost data: what to import again, how, and what to know before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from jobs.diagnosis.repair_requests import Door, RepairFile, Request, imports, request
from jobs.diagnosis.repair_warnings import Warning, warnings
from jobs.diagnosis.verdict import is_lost

MAX_REQUESTS = 50  # written out; whoever has more to send does it by a program, from the paths


@dataclass(frozen=True, slots=True)
class RepairKit:
    """What to import again. `paths`: all lost files in GES's order; `requests`: in the order to send, at most MAX_REQUESTS."""

    paths: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    warnings: tuple[Warning, ...] = ()


def repair_kit(
    files: Sequence[RepairFile],
    *,
    endpoint: str,
    project_id: str,
    graph_id: str | None,
    loaded: Collection[str] = (),
) -> RepairKit:
    """The kit for those of an import's files that lost data; an empty one when none did. `loaded`: paths that need no more.

    An endpoint or a graph id that isn't known stands in the commands as a shell variable, $GES_ENDPOINT or $GRAPH_ID.
    """
    lost = [file for file in files if is_lost(file) and file.path not in loaded]
    if not lost:
        return RepairKit()
    wanted = imports(files, [file for file in lost if file.path])
    schemas = list(
        dict.fromkeys(file.path for file in files if file.kind == "schema" and file.path)
    )
    door = Door(endpoint, project_id, graph_id)
    return RepairKit(
        paths=tuple(dict.fromkeys(file.path for file in lost if file.path)),
        requests=tuple(
            request(one, schemas[0] if schemas else None, door) for one in wanted[:MAX_REQUESTS]
        ),
        warnings=tuple(
            warnings(lost, wanted, schemas, door, left_out=max(0, len(wanted) - MAX_REQUESTS))
        ),
    )
