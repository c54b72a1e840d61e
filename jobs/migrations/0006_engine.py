"""Leases by number, each project's due watches found by themselves, and room for rows that polling updates again and again."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


# Checked at once: the table is altered below.
FILL = """
UPDATE jobs_watch SET project_id = (SELECT project_id FROM jobs_job WHERE jobs_job.id = jobs_watch.job_id);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""
# A claim changes no indexed column, so with room in its page it costs no index entry; nor does "seen again" of a reply and
# its job. The plan of the next poll changes the index of what is due: vacuum comes after so many rows, whatever the size.
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

    dependencies = [
        ('procrastinate', '0041_post_retry_failed_job'),
        ('jobs', '0005_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='IamToken',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='jobs.project')),
                ('credentials', models.CharField(help_text='A digest of the user whom IAM was told.', max_length=64)),
                ('sealed_value', models.BinaryField(default=b'')),
                ('expires_at', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('retry_at', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True, default='')),
            ],
        ),
        migrations.RemoveIndex(
            model_name='watch',
            name='watch_due',
        ),
        migrations.AddField(
            model_name='graph',
            name='created_at',
            field=models.DateTimeField(blank=True, help_text="As GES says; a job that began before is an earlier graph's.", null=True, verbose_name='created at'),
        ),
        migrations.AddField(
            model_name='graph',
            name='forgotten_jobs',
            field=models.JSONField(blank=True, default=list, editable=False, help_text="Ids of jobs that GES still names as this graph's imports, and knows no more when asked."),
        ),
        migrations.AddField(
            model_name='project',
            name='history_offset',
            field=models.PositiveIntegerField(blank=True, default=0, editable=False, help_text="Where the reading of GES's whole job list goes on; null once it was read to its end.", null=True),
        ),
        migrations.AddField(
            model_name='project',
            name='history_read_at',
            field=models.DateTimeField(blank=True, help_text="When GES's whole job list was last read to its end.", null=True, verbose_name='history read at'),
        ),
        migrations.AddField(
            model_name='watch',
            name='lease',
            field=models.BigIntegerField(help_text='The number of the claim on it, while one holds.', null=True, verbose_name='lease'),
        ),
        migrations.AddField(
            model_name='watch',
            name='problem',
            field=models.TextField(blank=True, default='', help_text='Why it was set aside: its reply could not be recorded. Poll it to take it up again.', verbose_name='problem'),
        ),
        migrations.AddField(
            model_name='watch',
            name='project',
            field=models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project', verbose_name='project'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='watch',
            name='project',
            field=models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project', verbose_name='project'),
        ),
        migrations.AddIndex(
            model_name='watch',
            index=models.Index(models.F('project'), models.F('next_poll_at'), condition=models.Q(('next_poll_at__isnull', False)), name='watch_due'),
        ),
        migrations.AddIndex(
            model_name='watch',
            index=models.Index(models.F('project'), condition=models.Q(('problem', ''), _negated=True), name='watch_set_aside'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='watch',
            trigger=pgtrigger.compiler.Trigger(name='watch_is_of_its_jobs_project', sql=pgtrigger.compiler.UpsertTriggerSql(func='NEW.project_id = (SELECT project_id FROM jobs_job WHERE id = NEW.job_id); RETURN NEW;', hash='49bd53f4f39536e3cc80b1e4cbdd0bfbce793db4', operation='INSERT', pgid='pgtrigger_watch_is_of_its_jobs_project_94b85', table='jobs_watch', when='BEFORE')),
        ),
        migrations.RunSQL(STORAGE, BACK),
    ]
