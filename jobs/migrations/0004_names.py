from importlib import import_module

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

NOTE_CHANGE = import_module("jobs.migrations.0002_triggers").NOTE_CHANGE
PROTECT = "RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;"


class Migration(migrations.Migration):
    """One word for each thing: audit entries, contradictions, peculiarities."""

    dependencies = [("jobs", "0003_storage")]
    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="entry", name="entry_stays"),
        migrations.RenameModel("Entry", "AuditEntry"),
        migrations.RenameModel("OddReply", "Contradiction"),
        migrations.RenameField("job", "oddities", "peculiarities"),
        migrations.RenameField("job", "odd_count", "contradiction_count"),
        migrations.AlterField(
            "contradiction",
            "job",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="contradictions",
                to="jobs.job",
                verbose_name="job",
            ),
        ),
        migrations.AlterField(
            "job",
            "peculiarities",
            models.JSONField(
                default=list, help_text="Sentences (ges.sentence) about what was unusual.", verbose_name="peculiarities"
            ),
        ),
        # PostgreSQL renamed the column in the index's condition itself.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("job", "job_odd"),
                migrations.AddIndex(
                    "job",
                    models.Index(
                        models.F("begin_time").desc(),
                        models.F("id").desc(),
                        condition=models.Q(contradiction_count__gt=0),
                        name="job_odd",
                    ),
                ),
            ]
        ),
        migrations.RunSQL(NOTE_CHANGE.replace("jobs_entry", "jobs_auditentry"), NOTE_CHANGE),
        pgtrigger.migrations.AddTrigger(
            model_name="auditentry",
            trigger=pgtrigger.compiler.Trigger(
                name="entry_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func=PROTECT,
                    hash="9cc042c40c59510684be220f5e87bc01b7c76dc9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_entry_stays_3df5a",
                    table="jobs_auditentry",
                    when="BEFORE",
                ),
            ),
        ),
    ]
