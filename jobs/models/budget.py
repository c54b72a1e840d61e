"""What is left of a project's API quota: one narrow row, shared by all workers and web servers."""

from django.db import models

from jobs.models.project import Project


class CallBudget(models.Model):
    """Two token buckets and a circuit breaker.

    Units: calls, fractions of one as the buckets refill.

    Written by: `polling.call_budget`.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="budget"
    )
    second_left = models.FloatField()
    minute_left = models.FloatField()
    counted_at = models.DateTimeField()
    share = models.FloatField(
        default=1,
        help_text="Part of the rates that may be used; lowered for a while when GES throttles.",
    )
    lowered_until = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(
        default=0, help_text="Calls in a row to which GES gave no answer."
    )

    def __str__(self) -> str:
        return f"budget of {self.project_id}"
