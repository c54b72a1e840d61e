"""The rows of the API: their fields, as the views write them and the description has them."""

from typing import Any, override

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from jobs.api.labels import Labelled
from jobs.export.job import file_object
from jobs.models import (
    AccessKey,
    Cause,
    Correction,
    Graph,
    ImportFile,
    Job,
    Miss,
    Project,
    Review,
    Snapshot,
)
from jobs.models.correction import Flag
from jobs.models.job import LedgerChoices, VerdictChoices


class _ModelShape(Labelled, serializers.ModelSerializer[Any]):
    pass


class _Figures(Labelled):
    """Lines of the files of one kind, or of all."""

    total = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    failed = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    successful = serializers.IntegerField(allow_null=True, help_text="Lines; null is unknown.")
    complete = serializers.BooleanField()

    label_names = {
        "total": "total_lines",
        "failed": "failed_lines",
        "successful": "successful_lines",
    }

    class Meta:
        model = Job


class _LinesShape(serializers.Serializer[Any]):
    edge = _Figures()
    vertex = _Figures()

    @override
    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "all": _Figures()}  # "all" is a word of Python


class _Observed(Labelled):
    """What GES's values alone give."""

    verdict = serializers.ChoiceField(VerdictChoices.choices)
    ledger = serializers.ChoiceField(LedgerChoices.choices, allow_null=True)
    lines = _LinesShape()
    loss_rate = serializers.FloatField(allow_null=True, help_text="0 to 1; null is unknown.")
    lost_file_count = serializers.IntegerField()

    class Meta:
        model = Job


class StandingShape(_ModelShape):
    """A correction beside the value it stands over."""

    observed = serializers.CharField(
        source="newest", allow_null=True, help_text="The value that GES gives now."
    )
    actor = serializers.CharField(source="actor.username")
    flag = serializers.ChoiceField(
        Flag.choices, allow_null=True, help_text="How GES's newer reply compares with it."
    )

    class Meta:
        model = Correction
        fields = ["field", "observed", "corrected", "reason", "actor", "made_at", "flag"]


class FileShape(_ModelShape):
    """A file of an import, as in the export."""

    corrections = StandingShape(many=True)

    class Meta:
        model = ImportFile
        fields = [
            "kind",
            "position",
            "path",
            "log",
            "status",
            "verdict",
            "ledger",
            "cause",
            "total_lines",
            "failed_lines",
            "successful_lines",
            "corrections",
        ]

    @override
    def to_representation(self, instance: ImportFile) -> dict[str, Any]:
        return file_object(instance, self.context.get("corrections", ()))


class JobShape(Labelled):
    """A job, as in the export; views answer with `export.job_object` itself."""

    project_id = serializers.CharField()
    graph_id = serializers.CharField(allow_null=True)
    graph_name = serializers.CharField(allow_null=True)
    job_id = serializers.CharField()
    job_type = serializers.CharField(allow_null=True)
    job_name = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True, help_text="The status word that GES gave.")
    verdict = serializers.ChoiceField(
        VerdictChoices.choices,
        help_text="gesdash's own status, from the GES status and the files together.",
    )
    ledger = serializers.ChoiceField(
        LedgerChoices.choices,
        allow_null=True,
        help_text="Whether the line counts that GES gave agree.",
    )
    begin_time = serializers.DateTimeField(allow_null=True)
    end_time = serializers.DateTimeField(allow_null=True)
    fail_reason = serializers.CharField(allow_null=True)
    observed_at = serializers.DateTimeField(allow_null=True)
    snapshots = serializers.IntegerField(help_text="How many distinct replies are stored.")
    contradictions = serializers.IntegerField(
        help_text="How often its replies contradict an earlier one, by reply and kind."
    )
    lines = _LinesShape()
    loss_rate = serializers.FloatField(
        allow_null=True,
        help_text="Failed lines of failed and loaded lines, 0 to 1; null is unknown.",
    )
    corrected = serializers.BooleanField(
        help_text="Whether totals, failure rate, status or count check rest on corrections."
    )
    observed = _Observed(
        allow_null=True,
        help_text="The same by GES's values alone; null where that makes no difference.",
    )
    is_hidden = serializers.BooleanField()
    corrections = StandingShape(many=True)

    label_names = {"snapshots": "snapshot_count", "contradictions": "contradiction_count"}

    class Meta:
        model = Job


class JobRowShape(JobShape):
    """A job in a list."""

    id = serializers.IntegerField()


class JobObjectShape(JobShape):
    """A job with its files."""

    files = FileShape(many=True)


JOB_PAGE = inline_serializer(
    "JobPage",
    {
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": JobRowShape(many=True),
    },
)
_LISTS = ("projects", "graphs", "jobs", "causes", "keys", "schema", "docs")
ROOT = inline_serializer("Root", {name: serializers.URLField() for name in _LISTS})


class ProjectShape(_ModelShape):
    """A GES project."""

    class Meta:
        model = Project
        fields = ["id", "project_id", "name", "discovered_at", "problem", "clock_skew_ms"]


class GraphShape(_ModelShape):
    """A graph."""

    project_id = serializers.CharField(source="project.project_id")

    class Meta:
        model = Graph
        fields = ["id", "project_id", "graph_id", "name", "is_deleted"]


class SnapshotShape(_ModelShape):
    """A stored response without its body."""

    sha256 = serializers.SerializerMethodField(help_text="Of the body, in hex.")

    class Meta:
        model = Snapshot
        fields = [
            "id",
            "job",
            "source",
            "version",
            "http_status",
            "content_type",
            "sha256",
            "first_seen_at",
            "last_seen_at",
            "seen",
        ]

    def get_sha256(self, snapshot: Snapshot) -> str:
        """Hex."""
        return bytes(snapshot.sha256).hex()


class MissShape(_ModelShape):
    """A run of equal failed polls."""

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


class CauseShape(_ModelShape):
    """A failure reason, the same over files and jobs."""

    project_id = serializers.CharField(source="project.project_id")

    class Meta:
        model = Cause
        fields = [
            "id",
            "project_id",
            "fingerprint",
            "pattern",
            "example",
            "first_seen_at",
            "last_seen_at",
            "note",
            "note_at",
        ]


class ReviewShape(_ModelShape):
    """A decision about an import with failures."""

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = Review
        fields = ["id", "job", "state", "note", "fixed_by", "due_on", "actor", "made_at"]


class CorrectionShape(_ModelShape):
    """A person's value over an observed one."""

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = Correction
        fields = [
            "id",
            "job",
            "kind",
            "position",
            "field",
            "observed",
            "newest",
            "corrected",
            "flag",
            "reason",
            "actor",
            "made_at",
            "reverted_at",
            "reverted_reason",
        ]


class KeyShape(_ModelShape):
    """One's own access key, without its secret."""

    projects: "serializers.SlugRelatedField[Project]" = serializers.SlugRelatedField(
        slug_field="project_id", many=True, read_only=True
    )

    class Meta:
        model = AccessKey
        fields = [
            "id",
            "name",
            "access_key",
            "all_projects",
            "projects",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
            "requests_per_minute",
        ]
