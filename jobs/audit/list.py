"""The trail as a list: its filters, for the page and the export alike, and each entry in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jobs.models import AuditEntry, Correction, ImportFile
from jobs.models.audit import AuditAction, AuditObject
from jobs.models.correction import field_label
from jobs.models.job import ReviewState


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One value that an entry changed; what it was is None where it is new."""

    label: str
    before: str | None
    after: str | None


_LABELS = {
    "role": gettext_lazy("role"),
    "user": gettext_lazy("user"),
    "project": gettext_lazy("project"),
    "group": gettext_lazy("group"),
    "permission": gettext_lazy("permission"),
    "name": gettext_lazy("name"),
    "note": gettext_lazy("note"),
    "state": gettext_lazy("decision"),
    "due_on": gettext_lazy("due date"),
    "fixed_by": gettext_lazy("fixed by job"),
    "assignee": gettext_lazy("assignee"),
    "username": gettext_lazy("username"),
    "is_active": gettext_lazy("can sign in"),
    "is_staff": gettext_lazy("can open Administration"),
    "is_superuser": gettext_lazy("is an administrator"),
    "password": gettext_lazy("password"),
    "tolerated_loss": gettext_lazy("failure threshold"),
    "is_deleted": gettext_lazy("no longer in GES"),
    "merged_into": gettext_lazy("merged into"),
    "graph_id": gettext_lazy("graph ID"),
    "query": gettext_lazy("filters"),
    "is_shared": gettext_lazy("shared with everyone"),
    "owner": gettext_lazy("owner"),
    "access_key": gettext_lazy("access key"),
    "all_projects": gettext_lazy("all projects"),
    "expires_at": gettext_lazy("expires at"),
    "revoked_at": gettext_lazy("revoked at"),
    "requests_per_minute": gettext_lazy("requests per minute"),
    "endpoint": gettext_lazy("endpoint"),
    "credentials": gettext_lazy("credentials"),
    "calls_per_second": gettext_lazy("calls per second"),
    "calls_per_minute": gettext_lazy("calls per minute"),
    "watches_proxied": gettext_lazy("track proxied jobs"),
    "email": gettext_lazy("email"),
    "status": gettext_lazy("HTTP status"),
    "watched": gettext_lazy("tracked"),
    "format": gettext_lazy("format"),
    "filters": gettext_lazy("filters"),
    "more": gettext_lazy("more in that minute"),
    "keeps": gettext_lazy("responses to keep"),
    "keep_days": gettext_lazy("days kept"),
    "project_id": gettext_lazy("project ID"),
    "reverted_at": gettext_lazy("undone at"),
    "reverted_by": gettext_lazy("undone by"),
    "reverted_reason": gettext_lazy("reason for undoing"),
}


def undone_corrections(entries: Iterable[AuditEntry]) -> dict[int, Correction]:
    """The corrections that these entries undo, by key.

    An undoing's own entry says only when and by whom.
    """
    undone = [
        one.object_id
        for one in entries
        if one.what == AuditObject.CORRECTION and one.deed == AuditAction.UNDONE
    ]
    return Correction.objects.in_bulk([pk for pk in undone if pk is not None]) if undone else {}


def differences(entry: AuditEntry, undone: Mapping[int, Correction]) -> list[FieldDifference]:
    """What an entry changed, in words; a correction and a decision in their own."""
    before, after = entry.before or {}, entry.after or {}
    if correction := undone.get(entry.object_id or 0) if entry.deed == AuditAction.UNDONE else None:
        return [
            FieldDifference(
                correction.where, _shown(correction.corrected), _shown(correction.newest)
            )
        ]
    if entry.what == AuditObject.CORRECTION and "field" in after:
        return [
            FieldDifference(
                _corrected(after), _shown(after.get("observed")), _shown(after.get("corrected"))
            )
        ]
    if entry.what == AuditObject.CORRECTION:
        return []
    if entry.what == AuditObject.REVIEW and "state" in after:
        after = after | {"state": str(ReviewState(after["state"]).label)}
    # A password is told only where it came to be another.
    told = {**before, **after}
    names = [
        name
        for name in told
        if not (name == "note" and entry.reason) and (name, told[name]) != ("password", "kept")
    ]
    return [
        FieldDifference(
            str(_LABELS.get(name, name)), _shown(before.get(name)), _shown(after.get(name))
        )
        for name in names
        if before.get(name) not in (None, "") or after.get(name) not in (None, "")
    ]


def _corrected(after: dict[str, Any]) -> str:
    label = field_label(after["field"])
    if not after.get("kind"):
        return label
    said = {
        "kind": ImportFile.Kind(after["kind"]).label,
        "position": after.get("position"),
        "field": label,
    }
    return _("%(kind)s file %(position)s, %(field)s") % said


def _shown(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = str(value)
    return text if len(text) <= 300 else f"{text[:299]}…"
