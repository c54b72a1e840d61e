"""Triggers that write the audit log.

Whatever changes an audited row makes an entry: an edit in the admin, one in bulk, one in raw SQL.
Who, why and where from come from the transaction's setting `pghistory.context_metadata`, which
`pghistory.context` makes. The entry itself is written by the function `gesdash_note_change`, which
a migration makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pgtrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """How the changes of a table are shown in the audit log.

    Each expression is SQL, in which `{row}` stands for the row as it was or as it is.
    """

    what: str
    """One of AuditObject."""
    values: Mapping[str, str]
    """What an entry shows of a row: expressions by name."""
    name: str
    """The name of the row, which an entry keeps after the row is gone."""
    compared: tuple[str, ...] = ()
    """The fields whose change makes an entry, so that a counter that programs keep costs nothing;
    by default those of `values`."""
    notes_rows: bool = True
    """Whether rows that are made or deleted make an entry too."""
    change: str = "changed"
    """The AuditAction of a change."""
    key: str = "{row}.id"
    project: str = "NULL"
    job: str = "NULL"
    graph: str = "NULL"
    actor: str = "NULL"
    """Who acted, where the transaction does not say it; `reason` likewise."""
    reason: str = "NULL"

    def triggers(self) -> list[pgtrigger.Trigger]:
        """One on changes, and one each on rows made and deleted."""
        changes = pgtrigger.Trigger(
            name="trail_of_changes",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange(*(self.compared or self.values)),
            func=self._note(self.change, before="OLD", after="NEW"),
        )
        if not self.notes_rows:
            return [changes]
        return [
            changes,
            pgtrigger.Trigger(
                name="trail_of_made",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=self._note("made", after="NEW"),
            ),
            pgtrigger.Trigger(
                name="trail_of_deleted",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                func=self._note("deleted", before="OLD"),
            ),
        ]

    def _note(self, action: str, *, before: str = "", after: str = "") -> str:
        row = after or before
        identity = ", ".join(
            expression.replace("{row}", row)
            for expression in (self.key, self.name, self.project, self.job, self.graph)
        )
        actor, reason = (
            expression.replace("{row}", row) for expression in (self.actor, self.reason)
        )
        return (
            f"PERFORM gesdash_note_change('{action}', '{self.what}', {identity},"
            f" {self._shown(before)}, {self._shown(after)}, {actor}, {reason}); RETURN NULL;"
        )

    def _shown(self, row: str) -> str:
        """The values of OLD or NEW as JSON; NULL where there is no such row."""
        pairs = ", ".join(
            f"'{label}', {expression.replace('{row}', row)}"
            for label, expression in self.values.items()
        )
        return f"jsonb_build_object({pairs})" if row else "NULL"


def plain(*names: str) -> dict[str, str]:
    """Columns shown as they are."""
    return {name: f"{{row}}.{name}" for name in names}


def username(column: str) -> str:
    """A user's name, where the column holds the key."""
    return f"(SELECT username FROM auth_user WHERE id = {{row}}.{column})"  # noqa: S608


def project_name(column: str = "project_id") -> str:
    """A project's id at GES, where the column holds the key."""
    return f"(SELECT project_id FROM jobs_project WHERE id = {{row}}.{column})"  # noqa: S608


def of_job(column: str, job: str = "job_id") -> str:
    """A column of the row's job."""
    return f"(SELECT {column} FROM jobs_job WHERE id = {{row}}.{job})"  # noqa: S608


def of_graph(column: str, graph: str = "graph_id") -> str:
    """A column of the row's graph."""
    return f"(SELECT {column} FROM jobs_graph WHERE id = {{row}}.{graph})"  # noqa: S608
