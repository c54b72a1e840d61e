"""What GES's values alone make of a job that corrections changed. The column costs nothing; jobs corrected before get theirs
with their next reply or correction, or at once by `rebuild`.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0012_undone_because")]

    operations = [
        migrations.AddField(
            "job",
            "observed",
            models.JSONField(
                help_text="What GES's values alone make of the totals, verdict and ledger, where corrections changed them; else null.",
                null=True,
                verbose_name="observed",
            ),
        ),
    ]
