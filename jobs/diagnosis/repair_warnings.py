"""Warnings to read before importing again, each with its source."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.diagnosis.repair_requests import GraphAddress, PlannedImport, RepairFile, is_partly_loaded
from jobs.sentences import Sentence
from jobs.sentences import gettext_noop as _

_IMPORT_API = _("GES API Reference, importing data incrementally (ges_03_0161, ges_03_0073)")
_IMPORT_GUIDE = _("GES User Guide, importing data (ges_01_0057)")
_FORMAT_GUIDE = _("GES User Guide, graph data formats")
_FORMAT_GUIDE_2021 = _("GES User Guide, graph data formats, 2021 edition")
_AUTHENTICATION = _("GES API Reference, authentication")
_OBS_NAMES = _("GES API Reference, OBS object names")
_INFERRED = _("Inferred by gesdash; not documented")

# Letters, digits, some marks and Chinese characters, and the slash between folders.
_UNACCEPTED = re.compile(r"[^A-Za-z0-9!\-_.*'()/\u4e00-\u9fa5]")

_PARTLY_LOADED_EDGES = _(
    "Some edge files were partly loaded. By default GES allows parallel "
    "edges, so re-importing such a file would add its loaded edges a second "
    "time. The requests for these files therefore set parallelEdge to ignore "
    "and take the label into account: an edge is skipped if one with the "
    "same source, target and label already exists. If the graph is meant to "
    "hold several such edges, import only the failed lines, without "
    "parallelEdge. To replace the loaded properties with those in the file, "
    "use override."
)
_PARALLEL_EDGE_FORM = _(
    "Since API version 2.1.2, parallelEdge is an object; version 1.0.5 takes "
    "only the value, as a string."
)
_PARTLY_LOADED_VERTICES = _(
    "Some vertex files were partly loaded. How this import handles a vertex "
    "that is already in the graph is not documented: try one file first, "
    "then check a vertex whose line was loaded before."
)
_EDGES_ALONE = _("If a request has no vertex path, GES takes the vertices from the edge files.")
_ONE_BY_ONE = _(
    "Send the requests one at a time, vertices before edges, and wait for "
    "each import to end: an edge whose vertex is missing fails again."
)
_DIRECTORY = _(
    "A path that ends with a slash is a directory in which every file of "
    "this import has failures. GES imports everything that the directory "
    "contains now; make sure that nothing else is in it."
)
_VARIABLES = _(
    "The commands use shell variables. Set these first: {variables}. "
    "GES_TOKEN is an IAM token for the project."
)
_LEFT_OUT = _("{left_out} more requests are not shown here; the list of paths is complete.")
_NO_PATH = _("GES reported no path for {files} of the failed files, so they are not listed here.")
_PATH = _(
    "Paths of failed files with characters that GES does not accept: "
    "{files}, for example {path}. Accepted are letters, digits, Chinese "
    "characters and ! - _ . * ' ( ). Rename the objects in OBS before "
    "importing them."
)
_SCHEMAS = _(
    "The import had {schemas} metadata files; a request takes only one, so "
    "the first is used: {path}."
)
_NO_SCHEMA = _(
    "GES reported no metadata file for this import, so the requests have "
    "none. Labels that are not in the graph's metadata also need schemaPath."
)
_LOG = _(
    "Without logDir, GES keeps neither the failed lines nor the reasons, and "
    "some of the failed files have no log. The folder import-logs is "
    "suggested; you can use any OBS folder. What is written there uses "
    "storage until you delete it."
)
_LOG_AGAIN = _(
    "GES keeps the failed lines and the reasons in logDir. The folder "
    "import-logs is suggested; you can use any OBS folder. What is written "
    "there uses storage until you delete it."
)
_SIZE = _("A file larger than 5 GB makes the import fail; split it first.")
_MEMORY = _(
    "All files of one import together may take up at most one fifth of the available memory."
)
_HEADER = _("CSV files have no header line; a header would be read as data and fail (inferred).")
_DELIMITER = _(
    "GES does not report which format, delimiter and quote character the "
    "files were imported with. The requests use csv, comma and double quote; "
    "add format, delimiter or trimQuote if your files differ. Elements of "
    "lists and sets are separated by ;."
)
_VERTEX_ID = _("A vertex ID must not contain a hyphen (-).")
_OFFLINE = _(
    "The requests import online (offline is false): slower, and the graph "
    "can be read but not written meanwhile. With offline set to true the "
    "import is faster, but the graph is locked, also for reading."
)
_KEEP = _(
    "Do not delete the source files from OBS after the import: GES reads "
    "them again when the graph restarts."
)


@dataclass(frozen=True, slots=True)
class RepairWarning:
    """A warning and the document that it is from.

    `is_general`: it holds for every import, whichever files failed.
    """

    sentence: Sentence
    source: str
    is_general: bool = False


def repair_warnings(
    failed: Sequence[RepairFile],
    imports: Sequence[PlannedImport],
    schemas: Sequence[str],
    address: GraphAddress,
    *,
    left_out: int,
) -> Iterator[RepairWarning]:
    """The warnings for these failed files, the weightiest first, then the general ones.

    `schemas` are the paths of the import's schema files; `left_out` requests are not written out.
    """
    yield from _about_loaded_data(failed)
    yield from _about_requests(imports, left_out)
    yield from _about_paths(failed)
    yield from _about_schemas(schemas)
    yield (
        RepairWarning(Sentence(_LOG_AGAIN), _IMPORT_API, is_general=True)
        if all(file.log for file in failed)
        else RepairWarning(Sentence(_LOG), _IMPORT_API)
    )
    yield RepairWarning(Sentence(_SIZE), _IMPORT_GUIDE, is_general=True)
    yield RepairWarning(Sentence(_MEMORY), _IMPORT_GUIDE, is_general=True)
    yield RepairWarning(Sentence(_HEADER), _FORMAT_GUIDE, is_general=True)
    yield RepairWarning(Sentence(_DELIMITER), _IMPORT_API, is_general=True)
    yield RepairWarning(Sentence(_VERTEX_ID), _FORMAT_GUIDE_2021, is_general=True)
    yield RepairWarning(Sentence(_OFFLINE), _IMPORT_API, is_general=True)
    yield RepairWarning(Sentence(_KEEP), _IMPORT_API, is_general=True)
    yield RepairWarning(
        Sentence(_VARIABLES, {"variables": ", ".join(address.variables)}),
        _AUTHENTICATION,
        is_general=True,
    )


def _about_loaded_data(failed: Sequence[RepairFile]) -> Iterator[RepairWarning]:
    partly = {file.kind for file in failed if is_partly_loaded(file)}
    if "edge" in partly:
        yield RepairWarning(Sentence(_PARTLY_LOADED_EDGES), _IMPORT_API)
        yield RepairWarning(Sentence(_PARALLEL_EDGE_FORM), _IMPORT_API, is_general=True)
    if "vertex" in partly:
        yield RepairWarning(Sentence(_PARTLY_LOADED_VERTICES), _INFERRED)


def _about_requests(imports: Sequence[PlannedImport], left_out: int) -> Iterator[RepairWarning]:
    if len(imports) > 1:
        yield RepairWarning(Sentence(_ONE_BY_ONE), _INFERRED)
    if any(planned.kind == "edge" for planned in imports):
        yield RepairWarning(Sentence(_EDGES_ALONE), _IMPORT_API, is_general=True)
    if any(planned.is_directory for planned in imports):
        yield RepairWarning(Sentence(_DIRECTORY), _IMPORT_API)
    if left_out:
        yield RepairWarning(Sentence(_LEFT_OUT, {"left_out": left_out}), _INFERRED)


def _about_paths(failed: Sequence[RepairFile]) -> Iterator[RepairWarning]:
    without_path = sum(not file.path for file in failed)
    if without_path:
        yield RepairWarning(Sentence(_NO_PATH, {"files": without_path}), _IMPORT_API)
    unaccepted = list(dict.fromkeys(file.path for file in failed if _UNACCEPTED.search(file.path)))
    if unaccepted:
        yield RepairWarning(
            Sentence(_PATH, {"files": len(unaccepted), "path": unaccepted[0]}), _OBS_NAMES
        )


def _about_schemas(schemas: Sequence[str]) -> Iterator[RepairWarning]:
    if not schemas:
        yield RepairWarning(Sentence(_NO_SCHEMA), _INFERRED)
    elif len(schemas) > 1:
        yield RepairWarning(
            Sentence(_SCHEMAS, {"schemas": len(schemas), "path": schemas[0]}), _IMPORT_API
        )
