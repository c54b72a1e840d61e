"""Correcting a graph: its name, whether GES still has it, and the graph it is the same as."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, override

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.admin.correction_form import offer_graphs, set_choices
from jobs.audit.entries import because
from jobs.decisions import graphs
from jobs.ges.words import FINAL
from jobs.models import Correction, Graph, Job
from jobs.web.form_recovery import recover_form
from jobs.web.signed_in import signed_in

NAME, GONE, MERGE, SPLIT = "name", "is_deleted", "merge", "split"
CHOICES = [
    (NAME, gettext_lazy("Name")),
    (GONE, gettext_lazy("Whether it no longer exists in GES")),
    (MERGE, gettext_lazy("Same graph as the one selected below, whose ID is known")),
]
MAX_JOBS_PREVIEWED = 100


@dataclass(frozen=True, slots=True)
class MergePreview:
    """The effects of a merge; `seen` is another once its jobs are others."""

    into: Graph
    count: int
    first: datetime | None
    last: datetime | None
    running: int
    brought: int  # by people's corrections
    jobs: list[Job]
    seen: str

    @classmethod
    def of(cls, graph: Graph, into: Graph) -> Self:
        """Read what a merge would do."""
        sums = graph.jobs.aggregate(
            count=Count("*"),
            total=Sum("pk"),
            first=Min("begin_time"),
            last=Max("begin_time"),
            running=Count("pk", filter=~Q(verdict__in=sorted(FINAL))),
        )
        seen = f"{into.pk}:{sums['count']}:{sums.pop('total')}"
        brought = Correction.objects.standing().filter(field="graph", job__graph=graph).count()
        newest = graph.jobs.order_by("-begin_time", "-pk")[:MAX_JOBS_PREVIEWED]
        return cls(into, **sums, brought=brought, jobs=list(newest), seen=seen)

    @property
    def more(self) -> int:
        """How many jobs are not shown."""
        return self.count - len(self.jobs)


class GraphForm(forms.Form):
    """What is wrong with a graph, and why it is corrected."""

    what = forms.ChoiceField(label=gettext_lazy("What to correct"), choices=CHOICES)
    name = forms.CharField(label=gettext_lazy("Corrected name"), required=False, max_length=255)
    is_deleted = forms.BooleanField(label=gettext_lazy("No longer in GES"), required=False)
    into = forms.ModelChoiceField(
        Graph.objects.none(), label=gettext_lazy("Merge into"), required=False
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, graph: Graph, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if graph.merged_into_id:
            label = _("Undo the merge into %(graph)s and move the jobs back")
            split = (SPLIT, label % {"graph": graph.merged_into})
            choices = [(value, str(text)) for value, text in CHOICES]
            set_choices(self.fields["what"], [*choices, split])

        known_by_id = Graph.objects.filter(project=graph.project_id, graph_id__isnull=False)
        help_text = _("The jobs of this graph move there, and so do later jobs of this graph name.")
        offer_graphs(self.fields["into"], known_by_id.exclude(pk=graph.pk), help_text)

    @override
    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("what") == MERGE and given.get("into") is None:
            self.add_error("into", _("Select the graph that this graph is the same as."))
        return given


def correct_graph(site: admin.AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The page on which fixers of its project correct a graph."""
    visible = Graph.objects.visible_to(request.user).select_related("project")
    graph = get_object_or_404(visible, pk=pk)
    is_fixer = graph.project.may_be_corrected_by(request.user)
    if not (request.user.has_perm("jobs.add_correction") and is_fixer):
        raise PermissionDenied

    initial = {
        "name": graph.name,
        "is_deleted": graph.is_deleted,
        **recover_form(request, request.path),
    }
    form = GraphForm(request.POST or None, graph=graph, initial=initial)
    is_valid = form.is_bound and form.is_valid()
    merge = None
    if is_valid and form.cleaned_data["what"] == MERGE:
        merge = MergePreview.of(graph, form.cleaned_data["into"])
    if is_valid and (merge is None or request.POST.get("seen") == merge.seen):
        try:
            message = _correct(request, graph, form.cleaned_data)
        except ValueError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, message)
            return redirect("admin:jobs_graph_change", pk)

    context = {
        **site.each_context(request),
        "form": form,
        "media": form.media,
        "graph": graph,
        "standing": graph.corrections.filter(reverted_at=None).select_related("actor"),
        "merging": merge,
        "opts": Graph._meta,
        "title": _("Correct a graph"),
    }
    return render(request, "admin/jobs/correct_graph.html", context)


def _correct(request: HttpRequest, graph: Graph, given: dict[str, Any]) -> str:
    """Correct the graph, and return a message. Raises: ValueError with a sentence."""
    reason, actor, now = given["reason"], signed_in(request), timezone.now()
    because(reason)  # of the graph's own audit entry; corrections carry theirs
    if given["what"] == MERGE:
        into = given["into"]
        count = graphs.merge_graphs(graph, into, reason=reason, actor=actor, now=now)
        values = {"count": count, "graph": into}
        return _("Merged. %(count)s jobs moved to %(graph)s.") % values
    if given["what"] == SPLIT:
        count = graphs.split_graph(graph, reason=reason, actor=actor, now=now)
        return _("Merge undone. %(count)s jobs moved back.") % {"count": count}

    is_deleted = "yes" if given["is_deleted"] else "no"
    graphs.correct_graph(
        graph,
        field=given["what"],
        corrected=given["name"] if given["what"] == NAME else is_deleted,
        reason=reason,
        actor=actor,
        now=now,
    )
    return _("Corrected. The GES value is kept.")
