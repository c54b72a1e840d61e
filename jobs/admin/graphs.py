"""A graph's name, whether GES still has it, and the graph it turned out to be, corrected with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.admin.correcting import choose_graph
from jobs.audit.entries import because
from jobs.decisions import graphs
from jobs.ges.words import FINAL
from jobs.models import Correction, Graph, Job
from jobs.web.form_recovery import recover_form

NAME, GONE, MERGE, SPLIT = "name", "is_deleted", "merge", "split"
SHOWN = 100  # jobs of a merge's preview


@dataclass(frozen=True, slots=True)
class Merging:
    """What a merge would do; `seen` is other when its jobs are."""

    into: Graph
    count: int
    first: datetime | None
    last: datetime | None
    running: int
    brought: int  # by people
    jobs: list[Job]
    seen: str

    @classmethod
    def of(cls, graph: Graph, into: Graph) -> "Merging":
        """Nothing is done."""
        jobs = graph.jobs.order_by("-begin_time", "-pk")
        sums = graph.jobs.aggregate(
            count=Count("*"), total=Sum("pk"), first=Min("begin_time"), last=Max("begin_time"),
            running=Count("pk", filter=~Q(verdict__in=sorted(FINAL))),
        )  # fmt: skip
        seen = f"{into.pk}:{sums['count']}:{sums.pop('total')}"
        brought = Correction.objects.standing().filter(field="graph", job__graph=graph).count()
        return cls(into, **sums, brought=brought, jobs=list(jobs[:SHOWN]), seen=seen)

    @property
    def more(self) -> int:
        """How many jobs are not shown."""
        return self.count - len(self.jobs)


class GraphForm(forms.Form):
    """What is wrong with a graph, and why."""

    what = forms.ChoiceField(
        label=gettext_lazy("What to correct"),
        choices=[
            (NAME, gettext_lazy("Name")),
            (GONE, gettext_lazy("Whether it no longer exists in GES")),
            (MERGE, gettext_lazy("Same graph as the one selected below, whose ID is known")),
        ],
    )
    name = forms.CharField(label=gettext_lazy("Corrected name"), required=False, max_length=255)
    is_deleted = forms.BooleanField(label=gettext_lazy("No longer in GES"), required=False)
    into = forms.ModelChoiceField(
        Graph.objects.none(), label=gettext_lazy("Merge into"), required=False
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, graph: Graph, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        graphs = Graph.objects.filter(project=graph.project_id, graph_id__isnull=False).exclude(
            pk=graph.pk
        )
        if graph.merged_into_id:
            back = (
                SPLIT,
                _("Undo the merge into %(graph)s and move the jobs back")
                % {"graph": graph.merged_into},
            )
            self.fields["what"].choices += [back]  # type: ignore[attr-defined]
        choose_graph(
            self.fields["into"],
            graphs,
            gettext_lazy(
                "The jobs of this graph move there, and so do later jobs of this graph name."
            ),
        )

    def clean(self) -> dict[str, Any]:
        """What is chosen needs its value."""
        given = self.cleaned_data
        if given.get("what") == MERGE and given.get("into") is None:
            self.add_error("into", _("Select the graph that this graph is the same as."))
        return given


def correct_graph(site: admin.AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The page on which a graph is corrected; fixers of its project."""
    graph = get_object_or_404(
        Graph.objects.visible_to(request.user).select_related("project"), pk=pk
    )
    if not (
        request.user.has_perm("jobs.add_correction")
        and graph.project.may_be_corrected_by(request.user)
    ):
        raise PermissionDenied
    start = {
        "name": graph.name,
        "is_deleted": graph.is_deleted,
        **recover_form(request, request.path),
    }
    form = GraphForm(request.POST or None, graph=graph, initial=start)
    is_good = form.is_bound and form.is_valid()
    merging = (
        Merging.of(graph, form.cleaned_data["into"])
        if is_good and form.cleaned_data["what"] == MERGE
        else None
    )
    if is_good and (merging is None or request.POST.get("seen") == merging.seen):
        try:
            said = _make(request, graph, form.cleaned_data)
        except ValueError as wrong:
            form.add_error(None, str(wrong))
        else:
            messages.success(request, said)
            return redirect("admin:jobs_graph_change", pk)
    standing = graph.corrections.filter(reverted_at=None).select_related("actor")
    context = {
        **site.each_context(request), "form": form, "media": form.media, "graph": graph, "standing": standing,
        "merging": merging, "opts": Graph._meta, "title": _("Correct a graph"),
    }  # fmt: skip
    return render(request, "admin/jobs/correct_graph.html", context)


def _make(request: HttpRequest, graph: Graph, given: dict[str, Any]) -> str:
    """Make it. Raises: ValueError with a sentence."""
    because(
        given["reason"]
    )  # the graph's own entry in the trail; the corrections carry it themselves
    why: dict[str, Any] = {"reason": given["reason"], "actor": request.user, "now": timezone.now()}
    if given["what"] == MERGE:
        count = graphs.merge_graphs(graph, given["into"], **why)
        return _("Merged. %(count)s jobs moved to %(graph)s.") % {
            "count": count,
            "graph": given["into"],
        }
    if given["what"] == SPLIT:
        count = graphs.split_graph(graph, **why)
        return _("Merge undone. %(count)s jobs moved back.") % {"count": count}
    value = given["name"] if given["what"] == NAME else "yes" if given["is_deleted"] else "no"
    graphs.correct_graph(graph, field=given["what"], corrected=value, **why)
    return _("Corrected. The GES value is kept.")
