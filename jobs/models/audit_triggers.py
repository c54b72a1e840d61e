"""Triggers that write the trail: whatever changes a row that people change, an edit in bulk or in raw SQL too, is an entry.

Who, why and where from come from the transaction's setting `pghistory.context_metadata`, which `pghistory.context` makes. The entry itself is written by the function `gesdash_note_change`, which a migration makes.
"""

from collections.abc import Mapping, Sequence

import pgtrigger


def tracked(
    what: str,
    values: Mapping[str, str],
    *,
    name: str,
    compared: Sequence[str] | None = None,
    made: bool = True,
    changed: str = "changed",
    project: str = "NULL",
    job: str = "NULL",
    graph: str = "NULL",
    actor: str = "NULL",
    reason: str = "NULL",
    key: str = "{row}.id",
) -> list[pgtrigger.Trigger]:
    """Triggers for a table. In each expression `{row}` stands for the row, as it was or as it is.

    `values` is what an entry shows of a row, by name; `compared` are the fields whose change makes one (those of `values`,
    unless told), so that a counter which programs keep costs nothing. `made` false passes over rows made and deleted.
    """
    common = (what, values, name, project, job, graph, actor, reason, key)
    triggers = [
        pgtrigger.Trigger(
            name="trail_of_changes",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange(*(compared or values)),
            func=_note(changed, *common, old="OLD", new="NEW"),
        )
    ]
    if made:
        for operation, deed, old, new in (
            (pgtrigger.Insert, "made", "", "NEW"),
            (pgtrigger.Delete, "deleted", "OLD", ""),
        ):
            triggers.append(
                pgtrigger.Trigger(
                    name=f"trail_of_{deed}",
                    when=pgtrigger.After,
                    operation=operation,
                    func=_note(deed, *common, old=old, new=new),
                )
            )
    return triggers


def _note(
    deed: str, what: str, values: Mapping[str, str], name: str, project: str, job: str, graph: str, actor: str, reason: str,
    key: str, *, old: str, new: str,
) -> str:  # fmt: skip
    def of(row: str) -> str:
        pairs = ", ".join(
            f"'{label}', {expression.replace('{row}', row)}" for label, expression in values.items()
        )
        return f"jsonb_build_object({pairs})" if row else "NULL"

    others = (key, name, project, job, graph)
    identity = ", ".join(expression.replace("{row}", new or old) for expression in others)
    who, why = (expression.replace("{row}", new or old) for expression in (actor, reason))
    return f"PERFORM gesdash_note_change('{deed}', '{what}', {identity}, {of(old)}, {of(new)}, {who}, {why}); RETURN NULL;"


def plain(*names: str) -> dict[str, str]:
    """Columns shown as they are."""
    return {name: f"{{row}}.{name}" for name in names}


def username(column: str) -> str:
    """A user's name, where the column holds the key."""
    return f"(SELECT username FROM auth_user WHERE id = {{row}}.{column})"  # noqa: S608  our own names


def project_name(column: str = "project_id") -> str:
    """A project's id at GES, where the column holds the key."""
    return f"(SELECT project_id FROM jobs_project WHERE id = {{row}}.{column})"  # noqa: S608


def of_job(column: str, job: str = "job_id") -> str:
    """A column of the row's job."""
    return f"(SELECT {column} FROM jobs_job WHERE id = {{row}}.{job})"  # noqa: S608


def of_graph(column: str, graph: str = "graph_id") -> str:
    """A column of the row's graph."""
    return f"(SELECT {column} FROM jobs_graph WHERE id = {{row}}.{graph})"  # noqa: S608
