"""IAM's token of a project: one for all workers and web servers, kept encrypted."""

from datetime import datetime

from django.db import models

from jobs.models.encryption import seal, unseal
from jobs.models.project import Project

_PURPOSE = "tokens"


class IamToken(models.Model):
    """The newest token, or why IAM gave none.

    Written by: `polling.credentials`.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    credentials = models.CharField(
        max_length=64, help_text="A digest of the user whom IAM was told."
    )
    sealed_value = models.BinaryField(default=b"")
    expires_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"token of {self.project_id}"

    @property
    def value(self) -> str:
        """The token itself, as GES wants it."""
        return unseal(bytes(self.sealed_value), _PURPOSE)

    def hold(self, value: str, expires_at: datetime) -> None:
        """Keep a new token in memory; the caller saves."""
        self.sealed_value, self.expires_at = seal(value, _PURPOSE), expires_at
        self.failures, self.retry_at, self.problem = 0, None, ""
