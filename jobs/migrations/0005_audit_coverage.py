from django.db import migrations, models
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone


def note_graphs(apps, schema_editor):
    """Graphs are audited since their triggers were made: with this database, or by a former migration."""
    applied = MigrationRecorder(schema_editor.connection).applied_migrations()
    triggers = applied.get(("jobs", "0010_fixes"))
    apps.get_model("jobs", "AuditCoverage").objects.create(
        what="graph", since=triggers.applied if triggers else timezone.now()
    )


class Migration(migrations.Migration):
    """Keep as data since when changes of graphs are in the audit log."""

    dependencies = [("jobs", "0004_names")]
    operations = [
        migrations.CreateModel(
            "AuditCoverage",
            [
                ("what", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(note_graphs, migrations.RunPython.noop),
    ]
