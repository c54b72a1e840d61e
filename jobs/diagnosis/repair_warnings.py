"""What to know before importing again, each with where it is written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.diagnosis.repair_requests import Door, Import, RepairFile, is_partly_loaded
from jobs.sentences import Sentence
from jobs.sentences import gettext_noop as _

_IMPORT_API = _("GES API Reference, importing data incrementally (ges_03_0161, ges_03_0073)")
_IMPORT_GUIDE = _("GES User Guide, importing data (ges_01_0057)")
_FORMAT_GUIDE = _("GES User Guide, graph data formats")
_FORMAT_GUIDE_2021 = _("GES User Guide, graph data formats, edition of 2021")
_AUTHENTICATION = _("GES API Reference, authentication")
_OBS_NAMES = _("GES API Reference, OBS object names")
_INFERRED = _("Inferred by gesdash; no document says it")

# Letters, digits, some marks and Chinese characters, and the slash between folders.
_UNACCEPTED = re.compile(r"[^A-Za-z0-9!\-_.*'()/\u4e00-\u9fa5]")

_PARTLY_LOADED_EDGES = _(
    "Some edge files were partly loaded. By default GES allows parallel edges, so importing such a file again would add its"
    " loaded edges a second time. Their requests therefore say parallelEdge ignore, with the label counted: an edge is passed"
    " over when one of the same source, target and label is there. Where the graph is meant to hold several such edges, import"
    " only the lines that were lost, without parallelEdge. To have the file's properties replace the loaded ones, say override."
)
_PARALLEL_EDGE_FORM = _(
    "parallelEdge is an object since version 2.1.2 of the API; version 1.0.5 takes the word alone, as text."
)
_PARTLY_LOADED_VERTICES = _(
    "Some vertex files were partly loaded. What GES does with a vertex that is already in the graph is not documented for this"
    " import: try one file first, and look at a vertex whose line was loaded before."
)
_EDGES_ALONE = _("A request without a vertex path lets GES take the vertices from the edge files.")
_ONE_BY_ONE = _(
    "Send the requests one after another, vertices before edges, and wait until each import has ended: an edge whose vertex is"
    " missing is lost again."
)
_DIRECTORY = _(
    "A path with a slash at its end is a directory of which every file of this import lost data. GES imports all that lies in"
    " it now; make sure that nothing else does."
)
_VARIABLES = _(
    "The commands read shell variables; set these before: {variables}. GES_TOKEN is a token of IAM for the project."
)
_LEFT_OUT = _("{left_out} more requests are not written out here; the list of paths is complete.")
_NO_PATH = _("GES told no path for {files} of the lost files; they are missing here.")
_PATH = _(
    "{files} of the lost paths hold characters that GES does not accept, for example {path}. Accepted are letters, digits,"
    " Chinese characters and ! - _ . * ' ( ). Rename the objects in OBS before importing them."
)
_SCHEMAS = _(
    "The import had {schemas} schema files; a request takes one, and the first is given: {path}."
)
_NO_SCHEMA = _(
    "The import told no schema file, so the requests give none. Labels that the graph's metadata lacks need schemaPath as well."
)
_LOG = _(
    "Without logDir GES keeps neither the lines that fail nor the reasons, and some of the lost files have no log. The folder"
    " import-logs is proposed; name any OBS folder you like. What is written there costs storage until you delete it."
)
_LOG_AGAIN = _(
    "logDir is where GES keeps the lines that fail and the reasons. The folder import-logs is proposed; name any OBS folder you"
    " like. What is written there costs storage until you delete it."
)
_SIZE = _("A file of more than 5 GB makes the import fail; split it before.")
_MEMORY = _(
    "All files of one import together may take at most one fifth of the memory that is available."
)
_HEADER = _("CSV files have no header line; one would be read as data, and lost (inferred).")
_DELIMITER = _(
    "GES does not tell with which format, delimiter and quote the files were imported. The requests leave them at csv, comma and"
    " double quote; add the format, delimiter or trimQuote if your files differ. Elements of lists and sets are separated by ;."
)
_VERTEX_ID = _("A vertex id must not contain a hyphen (-).")
_OFFLINE = _(
    "The requests import online (offline false): slower, while the graph can be read and not written. With offline true it is"
    " faster, and the graph is locked, for reading too."
)
_KEEP = _(
    "Do not delete the source files from OBS afterwards: GES reads them again when the graph restarts."
)


@dataclass(frozen=True, slots=True)
class Warning:
    """One thing to know, the document that says so, and whether it holds for every import, whatever was lost."""

    sentence: Sentence
    source: str
    is_general: bool = False


def warnings(
    lost: Sequence[RepairFile],
    wanted: Sequence[Import],
    schemas: Sequence[str],
    door: Door,
    *,
    left_out: int,
) -> Iterator[Warning]:
    """What applies to these lost files, the weightiest first, then what always holds.

    `wanted`: what is imported again; `schemas`: paths of the import's schema files; `left_out`: requests not written out.
    """
    yield from _about_loaded_data(lost)
    yield from _about_requests(wanted, left_out)
    yield from _about_paths(lost)
    yield from _about_schemas(schemas)
    yield (
        Warning(Sentence(_LOG_AGAIN), _IMPORT_API, is_general=True)
        if all(file.log for file in lost)
        else Warning(Sentence(_LOG), _IMPORT_API)
    )
    yield Warning(Sentence(_SIZE), _IMPORT_GUIDE, is_general=True)
    yield Warning(Sentence(_MEMORY), _IMPORT_GUIDE, is_general=True)
    yield Warning(Sentence(_HEADER), _FORMAT_GUIDE, is_general=True)
    yield Warning(Sentence(_DELIMITER), _IMPORT_API, is_general=True)
    yield Warning(Sentence(_VERTEX_ID), _FORMAT_GUIDE_2021, is_general=True)
    yield Warning(Sentence(_OFFLINE), _IMPORT_API, is_general=True)
    yield Warning(Sentence(_KEEP), _IMPORT_API, is_general=True)
    yield Warning(
        Sentence(_VARIABLES, {"variables": ", ".join(door.variables)}),
        _AUTHENTICATION,
        is_general=True,
    )


def _about_loaded_data(lost: Sequence[RepairFile]) -> Iterator[Warning]:
    partly = {file.kind for file in lost if is_partly_loaded(file)}
    if "edge" in partly:
        yield Warning(Sentence(_PARTLY_LOADED_EDGES), _IMPORT_API)
        yield Warning(Sentence(_PARALLEL_EDGE_FORM), _IMPORT_API, is_general=True)
    if "vertex" in partly:
        yield Warning(Sentence(_PARTLY_LOADED_VERTICES), _INFERRED)


def _about_requests(wanted: Sequence[Import], left_out: int) -> Iterator[Warning]:
    if len(wanted) > 1:
        yield Warning(Sentence(_ONE_BY_ONE), _INFERRED)
    if any(one.kind == "edge" for one in wanted):
        yield Warning(Sentence(_EDGES_ALONE), _IMPORT_API, is_general=True)
    if any(one.is_directory for one in wanted):
        yield Warning(Sentence(_DIRECTORY), _IMPORT_API)
    if left_out:
        yield Warning(Sentence(_LEFT_OUT, {"left_out": left_out}), _INFERRED)


def _about_paths(lost: Sequence[RepairFile]) -> Iterator[Warning]:
    pathless = sum(not file.path for file in lost)
    if pathless:
        yield Warning(Sentence(_NO_PATH, {"files": pathless}), _IMPORT_API)
    bad = list(dict.fromkeys(file.path for file in lost if _UNACCEPTED.search(file.path)))
    if bad:
        yield Warning(Sentence(_PATH, {"files": len(bad), "path": bad[0]}), _OBS_NAMES)


def _about_schemas(schemas: Sequence[str]) -> Iterator[Warning]:
    if not schemas:
        yield Warning(Sentence(_NO_SCHEMA), _INFERRED)
    elif len(schemas) > 1:
        yield Warning(
            Sentence(_SCHEMAS, {"schemas": len(schemas), "path": schemas[0]}), _IMPORT_API
        )
