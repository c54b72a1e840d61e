"""Room in the pages of tables that polling updates again and again."""

from django.db import migrations

# A claim changes no indexed column, so with room in its page it costs no index entry; nor does
# "seen again" of a reply and its job. The plan of the next poll changes the index of what is due:
# vacuum comes after so many rows, whatever the size.
STORAGE = """
ALTER TABLE jobs_watch SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0);
ALTER INDEX watch_due SET (fillfactor = 70);
ALTER TABLE jobs_job SET (fillfactor = 85);
ALTER TABLE jobs_snapshot SET (fillfactor = 90);
ALTER TABLE procrastinate_jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
ALTER TABLE procrastinate_events SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
"""
BACK = """
ALTER TABLE jobs_watch RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
  autovacuum_vacuum_cost_delay);
ALTER TABLE jobs_job RESET (fillfactor);
ALTER TABLE jobs_snapshot RESET (fillfactor);
ALTER TABLE procrastinate_jobs RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE procrastinate_events RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    replaces = [('jobs', '0013_rests_on')]

    dependencies = [
        ('procrastinate', '0041_post_retry_failed_job'),
        ('jobs', '0002_triggers'),
    ]

    operations = [migrations.RunSQL(STORAGE, BACK)]
