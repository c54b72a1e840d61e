"""The audit log: who did what, to what, why and from where."""

import json
from collections.abc import Iterable
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any, TextIO

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.audit.entries import note
from jobs.audit.filters import DEFAULT_SORT, FILTERS, SORTS, entries_for
from jobs.audit.list import differences, undone_corrections
from jobs.audit.rows import COLUMNS, audit_rows
from jobs.export.csv_lines import csv_lines
from jobs.lists.paging import invalid_value, page
from jobs.models import AuditEntry, Project
from jobs.models.audit import AuditAction, AuditObject
from jobs.web.addresses import at_cursor
from jobs.web.rendering import render_page

MAX_AUDITED = 20  # projects named


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The entries this user may see, newest first."""
    visible = AuditEntry.objects.visible_to(request.user)
    entries, problems = entries_for(request.GET, visible)
    part, page_problems = page(request.GET, entries.select_related("project"), SORTS, DEFAULT_SORT)
    undone = undone_corrections(part.rows)
    asked = {name: request.GET.get(name, "") for name in FILTERS}
    query = request.GET.copy()
    query.pop("cursor", None)
    context: dict[str, Any] = {
        "rows": [(entry, differences(entry, undone)) for entry in part.rows],
        "query": query.urlencode(),
        "problems": problems + page_problems,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "zone": request.GET.get("zone") or str(timezone.get_current_timezone()),
        "whats": AuditObject.choices,
        "deeds": AuditAction.choices,
        "sees_all": Project.objects.visible_ids(request.user) is None,
        "audited": list(Project.objects.auditable_by(request.user)[:MAX_AUDITED]),
        "next_url": at_cursor(request, part.next),
        "previous_url": at_cursor(request, part.previous),
    }
    return render_page(request, "pages/operate/audit.html", "trail", context)


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """All entries that the filters of the page find, oldest first, as `format=csv` or `jsonl`."""
    query = request.GET.copy()
    file_format = query.pop("format", ["csv"])[0]
    entries, problems = entries_for(query, AuditEntry.objects.visible_to(request.user))
    if file_format not in FORMATS:
        problems.append(invalid_value("format", file_format, ", ".join(FORMATS)))
    if problems:
        for problem in problems:
            messages.error(request, problem)
        return redirect(f"{reverse('pages:audit')}?{query.urlencode()}")

    # Written before it is sent: a view must not read the database after it has ended, whoever
    # stops listening.
    file = TemporaryFile()  # noqa: SIM115  the response closes it
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    FORMATS[file_format](text, audit_rows(entries))
    text.detach()
    file.seek(0)
    _note_export(request, file_format, query)
    exported_at = timezone.now().strftime("%Y%m%dT%H%M%SZ")
    return FileResponse(file, as_attachment=True, filename=f"trail-{exported_at}.{file_format}")


def _note_export(request: HttpRequest, file_format: str, query: QueryDict) -> None:
    filters = {name: values for name, values in query.lists() if any(values)}
    note(
        AuditAction.EXPORTED,
        AuditObject.EXPORT,
        request=request,
        actor=request.user,
        object_name="audit",
        after={"format": file_format, "filters": filters},
    )


def _write_csv(file: TextIO, rows: Iterable[dict[str, Any]]) -> None:
    file.writelines(csv_lines(COLUMNS, rows, bom=True))


def _write_jsonl(file: TextIO, rows: Iterable[dict[str, Any]]) -> None:
    file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


FORMATS = {"csv": _write_csv, "jsonl": _write_jsonl}
