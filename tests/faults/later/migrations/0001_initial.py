"""New columns and an index, with all three tables locked for a second and a half."""

from pathlib import Path

from django.db import migrations

import jobs.migrations

NEWEST = max(path.stem for path in Path(jobs.migrations.__path__[0]).glob("0*.py"))


class Migration(migrations.Migration):
    dependencies = [("jobs", NEWEST)]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE jobs_job ADD COLUMN of_later integer NOT NULL DEFAULT 0;"
            "ALTER TABLE jobs_snapshot ADD COLUMN of_later integer NOT NULL DEFAULT 0;"
            "CREATE INDEX later ON jobs_snapshot (of_later);"
            "ALTER TABLE jobs_watch ADD COLUMN of_later integer NOT NULL DEFAULT 0;"
            "SELECT pg_sleep(1.5);"
        )
    ]
