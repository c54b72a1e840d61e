"""One file path over all its imports."""

from collections import Counter
from dataclasses import dataclass
from typing import TypedDict

from django.db.models import Count, Q, QuerySet, Sum

from jobs.ges.words import Verdict
from jobs.models import ImportFile, Job
from jobs.models.roles import Viewer

MAX_PATHS = 100
MAX_LOOKED_AT = 1000  # files: a part of every path must not cost more than a part of a few


class PathSums(TypedDict):
    """How often a path was imported, how often with losses, and the failed lines in all."""

    imports: int
    lossy: int
    lost: int | None


@dataclass(frozen=True, slots=True)
class PathImports:
    """A path, and how often it is among the files looked at."""

    path: str
    imports: int


def files_visible_to(user: Viewer, project_id: str = "") -> QuerySet[ImportFile]:
    """The files of the jobs this user may see, of one project if its id is given."""
    files = ImportFile.objects.filter(job__in=Job.objects.visible_to(user))
    return files.filter(job__project__project_id=project_id) if project_id else files


def path_sums(files: QuerySet[ImportFile]) -> PathSums:
    """Sums over the imports of one path."""
    lossy = Q(verdict__in=[Verdict.PARTIAL.value, Verdict.FAILED.value])
    sums = files.order_by().aggregate(
        imports=Count("*"), lossy=Count("pk", filter=lossy), lost=Sum("failed_lines")
    )
    return PathSums(imports=sums["imports"], lossy=sums["lossy"], lost=sums["lost"])


def paths_containing(files: QuerySet[ImportFile], text: str) -> tuple[list[PathImports], bool]:
    """Paths that contain this text, in their order, and whether there may be more of them.

    Looks at the newest MAX_LOOKED_AT files with it.
    """
    newest_first = files.filter(path__contains=text).order_by("-job__begin_time")
    imports = Counter(newest_first.values_list("path", flat=True)[:MAX_LOOKED_AT])
    paths = [PathImports(path, imports[path]) for path in sorted(imports)[:MAX_PATHS]]
    return paths, imports.total() == MAX_LOOKED_AT
