"""Where a value can be corrected: a job, or one of its files."""

import json
from dataclasses import dataclass
from typing import Any, Self

from django.http import Http404
from django.shortcuts import get_object_or_404

from jobs.admin.bodies import readable
from jobs.admin.correction_form import fingerprint
from jobs.diagnosis.corrections import FILE_FIELDS, JOB_FIELDS, as_text
from jobs.models import Correction, ImportFile, Job, Snapshot
from jobs.models.correction import field_label

MAX_REPLY_SHOWN = 6_000  # characters


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A field as it is shown, and as GES gives it."""

    name: str
    label: str
    shown: str
    observed: str
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class Place:
    """A job or one of its files."""

    job: Job
    file: ImportFile | None

    @classmethod
    def read(cls, job: Job, where: str) -> Self:
        """Read `job`, or the kind and position of a file. Raises: Http404."""
        if where == "job":
            return cls(job, None)
        kind, _colon, position = where.partition(":")
        if not (position.isascii() and position.isdigit() and len(position) < 10):
            raise Http404(
                f"{where!r:.80} is no place in a job; expected job, or a kind and a position "
                "such as vertex:0."
            )
        return cls(job, get_object_or_404(job.files, kind=kind, position=int(position)))

    @property
    def where(self) -> str:
        """The place in an address."""
        return f"{self.kind}:{self.position}" if self.file else "job"

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields that can be corrected here."""
        return FILE_FIELDS if self.file else JOB_FIELDS

    @property
    def kind(self) -> str:
        """Of the file; empty for the job itself."""
        return self.file.kind if self.file else ""

    @property
    def position(self) -> int | None:
        """Of the file; None for the job itself."""
        return self.file.position if self.file else None

    def corrections(self) -> dict[str, Correction]:
        """The standing corrections by field."""
        rows = Correction.objects.standing().filter(
            job=self.job, kind=self.kind, position=self.position
        )
        return {correction.field: correction for correction in rows.select_related("actor")}

    def values(self) -> list[FieldValue]:
        """Each field with the value that GES gives, where a correction stands over it."""
        corrections = self.corrections()
        values = []
        for name in self.field_names:
            correction, shown = corrections.get(name), self.shown(name)
            observed = (correction.newest or "") if correction else shown
            values.append(FieldValue(name, field_label(name), shown, observed, correction))
        return values

    def shown(self, field: str) -> str:
        """A value as its correction would be typed."""
        row: Any = self.file or self.job
        return as_text(row.graph_id if field == "graph" else getattr(row, field)) or ""

    def fingerprints(self) -> dict[str, str]:
        """By field, its correction's key and its value's fingerprint: other once it has changed."""
        corrections = self.corrections()
        return {
            name: f"{corrections[name].pk if name in corrections else 0}"
            f".{fingerprint(self.shown(name))}"
            for name in self.field_names
        }

    def newest_reply(self) -> tuple[Snapshot | None, str]:
        """GES's newest reply with its text; of a long one the part about this place."""
        newest = self.job.snapshots.order_by("-last_seen_at", "-pk").first()
        if newest is None:
            return None, ""
        text = readable(bytes(newest.body))
        found_at = 0
        if self.file and self.file.path:
            found_at = text.find(json.dumps(self.file.path, ensure_ascii=False))
        start = max(found_at - MAX_REPLY_SHOWN // 3, 0)
        part = text[start : start + MAX_REPLY_SHOWN]
        before = "… " if start else ""
        after = " …" if start + len(part) < len(text) else ""
        return newest, f"{before}{part}{after}"
