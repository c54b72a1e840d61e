"""The filters and the order of the audit log, for its page and the export alike."""

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from jobs.lists.filters import STEERING, Filter, by_name, keys_of, select, unknown_names
from jobs.lists.kinds import Text, Time, choice_of
from jobs.lists.paging import Column, read_time
from jobs.models import Graph, Job, Project
from jobs.models.audit import AuditAction, AuditEntryQuerySet, AuditObject

DEFAULT_SORT = "-at"
SORTS = {"at": Column(read_time, has_unknown=False)}
MAX_NAMED = 1_000  # jobs or graphs that one filter may name

_TEXT = Text(300, gettext_lazy("text of at most 300 characters"))

FILTERS = by_name(
    Filter(
        name="actor",
        kind=_TEXT,
        label=gettext_lazy("User"),
        description="Entries of this user, by the username.",
        find=lambda text: Q(actor=text),
    ),
    Filter(
        name="what",
        kind=choice_of(AuditObject.choices),
        label=gettext_lazy("Object"),
        description="Entries about this kind of object.",
        find=lambda word: Q(what=word),
    ),
    Filter(
        name="deed",
        kind=choice_of(AuditAction.choices),
        label=gettext_lazy("Action"),
        description="Entries of this action.",
        find=lambda word: Q(deed=word),
    ),
    Filter(
        name="object",
        kind=_TEXT,
        label=gettext_lazy("Name contains"),
        description="Entries about an object whose name contains this, in any case.",
        find=lambda text: Q(object_name__icontains=text),
    ),
    Filter(
        name="project",
        kind=_TEXT,
        label=gettext_lazy("Project ID"),
        description="Entries of this project, by its ID in GES.",
        find=lambda text: Q(
            project__in=keys_of(Project.objects.filter(project_id=text)[:MAX_NAMED])
        ),
    ),
    Filter(
        name="graph",
        kind=_TEXT,
        label=gettext_lazy("Graph name or start of ID"),
        description="Entries of this graph, by its name or the start of its ID.",
        find=lambda text: Q(
            graph__in=keys_of(
                Graph.objects.filter(Q(graph_id__startswith=text) | Q(name=text))[:MAX_NAMED]
            )
        ),
    ),
    Filter(
        name="job_id",
        kind=_TEXT,
        label=gettext_lazy("Job ID starts with"),
        description="Entries of jobs whose ID starts with this.",
        find=lambda text: Q(
            job__in=keys_of(Job.objects.filter(job_id__startswith=text)[:MAX_NAMED])
        ),
    ),
    Filter(
        name="request",
        kind=_TEXT,
        label=gettext_lazy("Request ID"),
        description="Entries made by this request.",
        find=lambda text: Q(request_id=text),
    ),
    Filter(
        name="after",
        kind=Time(),
        label=gettext_lazy("After"),
        description="Entries made at this time or later.",
        find=lambda moment: Q(at__gte=moment),
    ),
    Filter(
        name="before",
        kind=Time(),
        label=gettext_lazy("Before"),
        description="Entries made before this time.",
        find=lambda moment: Q(at__lt=moment),
    ),
)


def entries_for(
    params: QueryDict, entries: AuditEntryQuerySet
) -> tuple[AuditEntryQuerySet, list[str]]:
    """The entries that the filters choose, and a sentence for each invalid name or value."""
    selection = select(params, FILTERS)
    problems = unknown_names(params, [*FILTERS, *STEERING]) + selection.problems
    return entries.filter(selection.condition()), problems
