"""What retention may remove, and what it may not, is noted in the trail."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0010_fixes'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='project',
            name='trail_of_changes',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='project',
            name='trail_of_made',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='project',
            name='trail_of_deleted',
        ),
        migrations.AlterField(
            model_name='entry',
            name='what',
            field=models.CharField(choices=[('correction', 'correction'), ('review', 'review'), ('note', 'note on a cause'), ('graph', 'graph'), ('watch', 'watch'), ('hold', 'hold'), ('project', 'project'), ('membership', 'membership'), ('key', 'access key'), ('view', 'saved view'), ('user', 'user'), ('group', 'group'), ('session', 'session'), ('reply', 'reply'), ('export', 'export'), ('address', 'address')], max_length=10, verbose_name='what'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."reason" IS DISTINCT FROM (NEW."reason"))', func="PERFORM gesdash_note_change('changed', 'hold', NEW.id, (SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_job WHERE id = NEW.job_id), NEW.job_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id), jsonb_build_object('reason', OLD.reason), jsonb_build_object('reason', NEW.reason), NULL, NEW.reason); RETURN NULL;", hash='d69decad77f52ebd3bd9851a63eec81606db7ec2', operation='UPDATE', pgid='pgtrigger_trail_of_changes_b121e', table='jobs_hold', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'hold', NEW.id, (SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_job WHERE id = NEW.job_id), NEW.job_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id), NULL, jsonb_build_object('reason', NEW.reason), NULL, NEW.reason); RETURN NULL;", hash='8778d6165f3769507c6d80d7205d2004904071db', operation='INSERT', pgid='pgtrigger_trail_of_made_efa38', table='jobs_hold', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='hold',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'hold', OLD.id, (SELECT job_id FROM jobs_job WHERE id = OLD.job_id), (SELECT project_id FROM jobs_job WHERE id = OLD.job_id), OLD.job_id, (SELECT graph_id FROM jobs_job WHERE id = OLD.job_id), jsonb_build_object('reason', OLD.reason), NULL, NULL, OLD.reason); RETURN NULL;", hash='de1240719e345d47262393800a30942f1da13d41', operation='DELETE', pgid='pgtrigger_trail_of_deleted_45940', table='jobs_hold', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='project',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."calls_per_minute" IS DISTINCT FROM (NEW."calls_per_minute") OR OLD."calls_per_second" IS DISTINCT FROM (NEW."calls_per_second") OR OLD."credentials" IS DISTINCT FROM (NEW."credentials") OR OLD."endpoint" IS DISTINCT FROM (NEW."endpoint") OR OLD."keep_days" IS DISTINCT FROM (NEW."keep_days") OR OLD."keeps" IS DISTINCT FROM (NEW."keeps") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."watches_proxied" IS DISTINCT FROM (NEW."watches_proxied"))', func="PERFORM gesdash_note_change('changed', 'project', NEW.id, NEW.project_id, NEW.id, NULL, NULL, jsonb_build_object('project_id', OLD.project_id, 'name', OLD.name, 'endpoint', OLD.endpoint, 'credentials', OLD.credentials, 'calls_per_second', OLD.calls_per_second, 'calls_per_minute', OLD.calls_per_minute, 'watches_proxied', OLD.watches_proxied, 'keeps', OLD.keeps, 'keep_days', OLD.keep_days), jsonb_build_object('project_id', NEW.project_id, 'name', NEW.name, 'endpoint', NEW.endpoint, 'credentials', NEW.credentials, 'calls_per_second', NEW.calls_per_second, 'calls_per_minute', NEW.calls_per_minute, 'watches_proxied', NEW.watches_proxied, 'keeps', NEW.keeps, 'keep_days', NEW.keep_days), NULL, NULL); RETURN NULL;", hash='cd77320768e83c2f81fa6339e0e52e344eddf942', operation='UPDATE', pgid='pgtrigger_trail_of_changes_3512a', table='jobs_project', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='project',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'project', NEW.id, NEW.project_id, NEW.id, NULL, NULL, NULL, jsonb_build_object('project_id', NEW.project_id, 'name', NEW.name, 'endpoint', NEW.endpoint, 'credentials', NEW.credentials, 'calls_per_second', NEW.calls_per_second, 'calls_per_minute', NEW.calls_per_minute, 'watches_proxied', NEW.watches_proxied, 'keeps', NEW.keeps, 'keep_days', NEW.keep_days), NULL, NULL); RETURN NULL;", hash='0ed88f67e899b2bb4ac1e407ac3802415019e7e7', operation='INSERT', pgid='pgtrigger_trail_of_made_daa58', table='jobs_project', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='project',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'project', OLD.id, OLD.project_id, OLD.id, NULL, NULL, jsonb_build_object('project_id', OLD.project_id, 'name', OLD.name, 'endpoint', OLD.endpoint, 'credentials', OLD.credentials, 'calls_per_second', OLD.calls_per_second, 'calls_per_minute', OLD.calls_per_minute, 'watches_proxied', OLD.watches_proxied, 'keeps', OLD.keeps, 'keep_days', OLD.keep_days), NULL, NULL, NULL); RETURN NULL;", hash='482822016979cf63c13dfd07bf241f9b398635c7', operation='DELETE', pgid='pgtrigger_trail_of_deleted_fb023', table='jobs_project', when='AFTER')),
        ),
    ]
