"""What the rows of the API look like: read by the views and by the description."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from jobs.export.job import file_object
from jobs.models import (
    AccessKey,
    Cause,
    Correction,
    Graph,
    ImportFile,
    Miss,
    Project,
    Review,
    Snapshot,
)
from jobs.models.correction import Flag
from jobs.models.job import LedgerChoices, VerdictChoices


class _Figures(serializers.Serializer):  # type: ignore[type-arg]
    total = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    failed = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    successful = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    complete = serializers.BooleanField()


class _LinesShape(serializers.Serializer):  # type: ignore[type-arg]
    edge, vertex = _Figures(), _Figures()

    def get_fields(self) -> dict[str, Any]:
        """With "all", which is a word of Python."""
        return {**super().get_fields(), "all": _Figures()}


class _Observed(serializers.Serializer):  # type: ignore[type-arg]
    verdict = serializers.ChoiceField(VerdictChoices.choices)
    ledger = serializers.ChoiceField(LedgerChoices.choices, allow_null=True)
    lines = _LinesShape()
    loss_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null is unknown.")
    lost_file_count = serializers.IntegerField()


class StandingShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A correction beside the value it stands over."""

    observed = serializers.CharField(
        source="newest", allow_null=True, help_text="What GES says now."
    )
    actor = serializers.CharField(source="actor.username")
    flag = serializers.ChoiceField(
        Flag.choices, allow_null=True, help_text="What GES's newer reply makes of it."
    )

    class Meta:
        model = Correction
        fields = ["field", "observed", "corrected", "reason", "actor", "made_at", "flag"]


class FileShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A file of an import, as in the export."""

    corrections = StandingShape(many=True)

    class Meta:
        model = ImportFile
        fields = [
            "kind", "position", "path", "log", "status", "verdict", "ledger", "cause", "total_lines", "failed_lines",
            "successful_lines", "corrections",
        ]  # fmt: skip

    def to_representation(self, instance: ImportFile) -> dict[str, Any]:
        """The export's object."""
        return file_object(instance, self.context.get("corrections", ()))


class JobShape(serializers.Serializer):  # type: ignore[type-arg]
    """A job, as in the export; views answer with `export.job_object` itself."""

    project_id = serializers.CharField()
    graph_id = serializers.CharField(allow_null=True)
    graph_name = serializers.CharField(allow_null=True)
    job_id = serializers.CharField()
    job_type = serializers.CharField(allow_null=True)
    job_name = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True, help_text="GES's word.")
    verdict = serializers.ChoiceField(VerdictChoices.choices)
    ledger = serializers.ChoiceField(LedgerChoices.choices, allow_null=True)
    begin_time = serializers.DateTimeField(allow_null=True)
    end_time = serializers.DateTimeField(allow_null=True)
    fail_reason = serializers.CharField(allow_null=True)
    observed_at = serializers.DateTimeField(allow_null=True)
    snapshots = serializers.IntegerField(help_text="How many distinct replies are stored.")
    contradictions = serializers.IntegerField(
        help_text="How often its replies contradict an earlier one, by reply and kind."
    )
    lines = _LinesShape()
    loss_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null is unknown.")
    corrected = serializers.BooleanField(
        help_text="Whether totals, loss rate, verdict or ledger rest on corrections."
    )
    observed = _Observed(
        allow_null=True,
        help_text="What GES's values alone make of them; null where it is the same.",
    )
    is_hidden = serializers.BooleanField(help_text="Kept out of the statistics.")
    corrections = StandingShape(many=True)


class JobRowShape(JobShape):
    """A job in a list."""

    id = serializers.IntegerField()


JOB_PAGE = inline_serializer(
    "JobPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": JobRowShape(many=True),
    },
)


class JobObjectShape(JobShape):
    """A job with its files."""

    files = FileShape(many=True)


ROOT = inline_serializer("Root", {name: serializers.URLField() for name in ("projects", "graphs", "jobs", "causes", "keys", "schema", "docs")})  # fmt: skip


class ProjectShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A GES project."""

    class Meta:
        model = Project
        fields = ["id", "project_id", "name", "discovered_at", "problem", "clock_skew_ms"]


class GraphShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A graph."""

    project_id = serializers.CharField(source="project.project_id")

    class Meta:
        model = Graph
        fields = ["id", "project_id", "graph_id", "name", "is_deleted"]


class SnapshotShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A stored reply without its body."""

    sha256 = serializers.SerializerMethodField(help_text="Of the body, in hex.")

    class Meta:
        model = Snapshot
        fields = ["id", "job", "source", "version", "http_status", "content_type", "sha256", "first_seen_at", "last_seen_at", "seen"]  # fmt: skip

    def get_sha256(self, snapshot: Snapshot) -> str:
        """In hex."""
        return bytes(snapshot.sha256).hex()


class MissShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A run of polls without a usable answer."""

    class Meta:
        model = Miss
        fields = [
            "id",
            "job",
            "source",
            "kind",
            "detail",
            "http_status",
            "first_seen_at",
            "last_seen_at",
            "seen",
        ]


class CauseShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """The same cause over files and jobs."""

    project_id = serializers.CharField(source="project.project_id")

    class Meta:
        model = Cause
        fields = ["id", "project_id", "fingerprint", "pattern", "example", "first_seen_at", "last_seen_at", "note", "note_at"]  # fmt: skip


class ReviewShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """What somebody decided about an import."""

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = Review
        fields = ["id", "job", "state", "note", "fixed_by", "due_on", "actor", "made_at"]


class CorrectionShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A person's value over an observed one."""

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = Correction
        fields = ["id", "job", "kind", "position", "field", "observed", "newest", "corrected", "flag", "reason", "actor", "made_at", "reverted_at", "reverted_reason"]  # fmt: skip


class KeyShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One's own access key; its secret is nowhere."""

    projects = serializers.SlugRelatedField(slug_field="project_id", many=True, read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = AccessKey
        fields = [
            "id", "name", "access_key", "all_projects", "projects", "created_at", "expires_at", "revoked_at", "last_used_at",
            "requests_per_minute",
        ]  # fmt: skip
