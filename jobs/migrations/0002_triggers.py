"""The triggers: what may not change, and what is noted in the audit log. Each is made from its model's Meta."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


# The one writer of the triggers' entries. Only what differs of `before` and `after` is kept.
NOTE_CHANGE = """
CREATE OR REPLACE FUNCTION gesdash_note_change(
    deed text, what text, object_id bigint, object_name text, project bigint, job bigint, graph bigint,
    before jsonb, after jsonb, actor bigint, reason text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    context jsonb := COALESCE(NULLIF(current_setting('pghistory.context_metadata', true), ''), '{}')::jsonb;
    who bigint := COALESCE((context->>'actor')::bigint, actor);
    old jsonb := before;
    new jsonb := after;
BEGIN
    IF old IS NOT NULL AND new IS NOT NULL THEN
        SELECT jsonb_object_agg(key, value) INTO old FROM jsonb_each(before) WHERE value IS DISTINCT FROM after->key;
        SELECT jsonb_object_agg(key, value) INTO new FROM jsonb_each(after) WHERE value IS DISTINCT FROM before->key;
    END IF;
    INSERT INTO jobs_entry (
        at, deed, what, object_id, object_name, project_id, job_id, graph_id, before, after, reason, actor_id, actor,
        request_id, address, path
    ) VALUES (
        clock_timestamp(), deed, what, object_id, left(COALESCE(object_name, ''), 300), project, job, graph, old, new,
        COALESCE(context->>'reason', reason, ''), who,
        COALESCE((SELECT username FROM auth_user WHERE id = who), ''),
        COALESCE(context->>'request_id', ''), COALESCE(context->>'address', ''), COALESCE(context->>'path', '')
    );
END $$
"""


class Migration(migrations.Migration):

    replaces = [('jobs', '0012_undone_because')]

    dependencies = [
        ('jobs', '0001_tables'),
    ]

    operations = [
        migrations.RunSQL(NOTE_CHANGE, 'DROP FUNCTION gesdash_note_change'),
        pgtrigger.migrations.AddTrigger(
            model_name='grouppermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."group_id" IS DISTINCT FROM (NEW."group_id") OR OLD."permission_id" IS DISTINCT FROM (NEW."permission_id"))', func="PERFORM gesdash_note_change('changed', 'group', NEW.group_id, (SELECT name FROM auth_group WHERE id = NEW.group_id), NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = OLD.permission_id)), jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = NEW.permission_id)), NULL, NULL); RETURN NULL;", hash='e030aa0e91a0734c475298d501eee9ff90337779', operation='UPDATE', pgid='pgtrigger_trail_of_changes_d09d5', table='auth_group_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='grouppermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'group', NEW.group_id, (SELECT name FROM auth_group WHERE id = NEW.group_id), NULL, NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = NEW.permission_id)), NULL, NULL); RETURN NULL;", hash='0f775562644dce7da834d253429a4460ef1239d4', operation='INSERT', pgid='pgtrigger_trail_of_made_dea38', table='auth_group_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='grouppermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'group', OLD.group_id, (SELECT name FROM auth_group WHERE id = OLD.group_id), NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = OLD.permission_id)), NULL, NULL, NULL); RETURN NULL;", hash='25b0924654764df62dd5c7a792a22d12d5a97557', operation='DELETE', pgid='pgtrigger_trail_of_deleted_3104b', table='auth_group_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackedgroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."name" IS DISTINCT FROM (NEW."name"))', func="PERFORM gesdash_note_change('changed', 'group', NEW.id, NEW.name, NULL, NULL, NULL, jsonb_build_object('name', OLD.name), jsonb_build_object('name', NEW.name), NULL, NULL); RETURN NULL;", hash='d0fae0128955269b7a90cd8308131d8349de7f6a', operation='UPDATE', pgid='pgtrigger_trail_of_changes_0b89c', table='auth_group', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackedgroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'group', NEW.id, NEW.name, NULL, NULL, NULL, NULL, jsonb_build_object('name', NEW.name), NULL, NULL); RETURN NULL;", hash='0eb9c32fe66c3b8f0caf1408a5ba7b5070d1325a', operation='INSERT', pgid='pgtrigger_trail_of_made_c0662', table='auth_group', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackedgroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'group', OLD.id, OLD.name, NULL, NULL, NULL, jsonb_build_object('name', OLD.name), NULL, NULL, NULL); RETURN NULL;", hash='3fc63fecd8479b958c1c89154efc049d1db76615', operation='DELETE', pgid='pgtrigger_trail_of_deleted_823f1', table='auth_group', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackeduser',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_staff" IS DISTINCT FROM (NEW."is_staff") OR OLD."is_superuser" IS DISTINCT FROM (NEW."is_superuser") OR OLD."password" IS DISTINCT FROM (NEW."password") OR OLD."username" IS DISTINCT FROM (NEW."username"))', func="PERFORM gesdash_note_change('changed', 'user', NEW.id, NEW.username, NULL, NULL, NULL, jsonb_build_object('username', OLD.username, 'email', OLD.email, 'is_active', OLD.is_active, 'is_staff', OLD.is_staff, 'is_superuser', OLD.is_superuser, 'password', CASE WHEN 'OLD' = 'NEW' AND TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password THEN 'changed' ELSE 'kept' END), jsonb_build_object('username', NEW.username, 'email', NEW.email, 'is_active', NEW.is_active, 'is_staff', NEW.is_staff, 'is_superuser', NEW.is_superuser, 'password', CASE WHEN 'NEW' = 'NEW' AND TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password THEN 'changed' ELSE 'kept' END), NULL, NULL); RETURN NULL;", hash='f41d6d65eac274ffe59f11ff89bd65b0788dedc1', operation='UPDATE', pgid='pgtrigger_trail_of_changes_abbd3', table='auth_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackeduser',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'user', NEW.id, NEW.username, NULL, NULL, NULL, NULL, jsonb_build_object('username', NEW.username, 'email', NEW.email, 'is_active', NEW.is_active, 'is_staff', NEW.is_staff, 'is_superuser', NEW.is_superuser, 'password', CASE WHEN 'NEW' = 'NEW' AND TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password THEN 'changed' ELSE 'kept' END), NULL, NULL); RETURN NULL;", hash='5bebaf3f30711f41e5cf626dc4f1105efde9db7a', operation='INSERT', pgid='pgtrigger_trail_of_made_58beb', table='auth_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='trackeduser',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'user', OLD.id, OLD.username, NULL, NULL, NULL, jsonb_build_object('username', OLD.username, 'email', OLD.email, 'is_active', OLD.is_active, 'is_staff', OLD.is_staff, 'is_superuser', OLD.is_superuser, 'password', CASE WHEN 'OLD' = 'NEW' AND TG_OP = 'UPDATE' AND OLD.password IS DISTINCT FROM NEW.password THEN 'changed' ELSE 'kept' END), NULL, NULL, NULL); RETURN NULL;", hash='4ff019d8dbdc72d846236036f6b31562bcf592bb', operation='DELETE', pgid='pgtrigger_trail_of_deleted_9ef9c', table='auth_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usergroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."group_id" IS DISTINCT FROM (NEW."group_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func="PERFORM gesdash_note_change('changed', 'user', NEW.user_id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NULL, NULL, NULL, jsonb_build_object('group', (SELECT name FROM auth_group WHERE id = OLD.group_id)), jsonb_build_object('group', (SELECT name FROM auth_group WHERE id = NEW.group_id)), NULL, NULL); RETURN NULL;", hash='5dd15c95ad3c8978d94d68237a71d99a7156864d', operation='UPDATE', pgid='pgtrigger_trail_of_changes_b7f41', table='auth_user_groups', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usergroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'user', NEW.user_id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NULL, NULL, NULL, NULL, jsonb_build_object('group', (SELECT name FROM auth_group WHERE id = NEW.group_id)), NULL, NULL); RETURN NULL;", hash='32bd809545e4e9d8e82f5ea9244b8805736de2e4', operation='INSERT', pgid='pgtrigger_trail_of_made_7ae6c', table='auth_user_groups', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usergroup',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'user', OLD.user_id, (SELECT username FROM auth_user WHERE id = OLD.user_id), NULL, NULL, NULL, jsonb_build_object('group', (SELECT name FROM auth_group WHERE id = OLD.group_id)), NULL, NULL, NULL); RETURN NULL;", hash='715da16760e39969bbf8ed640ca5ab5becb97fc9', operation='DELETE', pgid='pgtrigger_trail_of_deleted_b452c', table='auth_user_groups', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='userpermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."permission_id" IS DISTINCT FROM (NEW."permission_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func="PERFORM gesdash_note_change('changed', 'user', NEW.user_id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = OLD.permission_id)), jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = NEW.permission_id)), NULL, NULL); RETURN NULL;", hash='baf5ac319f864c8a4d083c4fbac44e9e416f974a', operation='UPDATE', pgid='pgtrigger_trail_of_changes_3d23c', table='auth_user_user_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='userpermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'user', NEW.user_id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NULL, NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = NEW.permission_id)), NULL, NULL); RETURN NULL;", hash='f3b3f7469213b3f6efb92717945c714b58d71cd3', operation='INSERT', pgid='pgtrigger_trail_of_made_56490', table='auth_user_user_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='userpermission',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'user', OLD.user_id, (SELECT username FROM auth_user WHERE id = OLD.user_id), NULL, NULL, NULL, jsonb_build_object('permission', (SELECT codename FROM auth_permission WHERE id = OLD.permission_id)), NULL, NULL, NULL); RETURN NULL;", hash='c7ba4cebfcd4e569edd0c252e9f95bfb48e9c80a', operation='DELETE', pgid='pgtrigger_trail_of_deleted_073c9', table='auth_user_user_permissions', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesskey',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."access_key" IS DISTINCT FROM (NEW."access_key") OR OLD."all_projects" IS DISTINCT FROM (NEW."all_projects") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."requests_per_minute" IS DISTINCT FROM (NEW."requests_per_minute") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func="PERFORM gesdash_note_change('changed', 'key', NEW.id, COALESCE(NULLIF(NEW.name, ''), NEW.access_key), NULL, NULL, NULL, jsonb_build_object('access_key', OLD.access_key, 'name', OLD.name, 'all_projects', OLD.all_projects, 'expires_at', OLD.expires_at, 'revoked_at', OLD.revoked_at, 'requests_per_minute', OLD.requests_per_minute, 'user', (SELECT username FROM auth_user WHERE id = OLD.user_id)), jsonb_build_object('access_key', NEW.access_key, 'name', NEW.name, 'all_projects', NEW.all_projects, 'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at, 'requests_per_minute', NEW.requests_per_minute, 'user', (SELECT username FROM auth_user WHERE id = NEW.user_id)), NEW.user_id, NULL); RETURN NULL;", hash='a09c4aa45d7caa20d9ad4841823ae7d29c0519b8', operation='UPDATE', pgid='pgtrigger_trail_of_changes_1efee', table='jobs_accesskey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesskey',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'key', NEW.id, COALESCE(NULLIF(NEW.name, ''), NEW.access_key), NULL, NULL, NULL, NULL, jsonb_build_object('access_key', NEW.access_key, 'name', NEW.name, 'all_projects', NEW.all_projects, 'expires_at', NEW.expires_at, 'revoked_at', NEW.revoked_at, 'requests_per_minute', NEW.requests_per_minute, 'user', (SELECT username FROM auth_user WHERE id = NEW.user_id)), NEW.user_id, NULL); RETURN NULL;", hash='70e11a3d3d54bfcb237ab29750b5cb7661513397', operation='INSERT', pgid='pgtrigger_trail_of_made_505b0', table='jobs_accesskey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accesskey',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'key', OLD.id, COALESCE(NULLIF(OLD.name, ''), OLD.access_key), NULL, NULL, NULL, jsonb_build_object('access_key', OLD.access_key, 'name', OLD.name, 'all_projects', OLD.all_projects, 'expires_at', OLD.expires_at, 'revoked_at', OLD.revoked_at, 'requests_per_minute', OLD.requests_per_minute, 'user', (SELECT username FROM auth_user WHERE id = OLD.user_id)), NULL, OLD.user_id, NULL); RETURN NULL;", hash='0fa037e792acf6fe0b38f1e9c898a923e831a763', operation='DELETE', pgid='pgtrigger_trail_of_deleted_ee12c', table='jobs_accesskey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='cause',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."note" IS DISTINCT FROM (NEW."note"))', func="PERFORM gesdash_note_change('changed', 'note', NEW.id, left(NEW.pattern, 300), NEW.project_id, NULL, NULL, jsonb_build_object('note', OLD.note), jsonb_build_object('note', NEW.note), NEW.note_by_id, NEW.note); RETURN NULL;", hash='cb44e8c83808389c8f9618a9ca4131e5d9d9787e', operation='UPDATE', pgid='pgtrigger_trail_of_changes_822c9', table='jobs_cause', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkpoint',
            trigger=pgtrigger.compiler.Trigger(name='checkpoint_is_evidence', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2a51dfe6ed2fd385c087c56ec699645f1e8fe83c', operation='UPDATE OR DELETE', pgid='pgtrigger_checkpoint_is_evidence_99b3b', table='jobs_checkpoint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='graph',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."graph_id" IS DISTINCT FROM (NEW."graph_id") OR OLD."is_deleted" IS DISTINCT FROM (NEW."is_deleted") OR OLD."merged_into_id" IS DISTINCT FROM (NEW."merged_into_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."tolerated_loss" IS DISTINCT FROM (NEW."tolerated_loss"))', func="PERFORM gesdash_note_change('changed', 'graph', NEW.id, COALESCE(NULLIF(NEW.name, ''), NEW.graph_id), NEW.project_id, NULL, NEW.id, jsonb_build_object('name', OLD.name, 'graph_id', OLD.graph_id, 'is_deleted', OLD.is_deleted, 'tolerated_loss', OLD.tolerated_loss, 'merged_into', (SELECT COALESCE(graph_id, name) FROM jobs_graph WHERE id = OLD.merged_into_id)), jsonb_build_object('name', NEW.name, 'graph_id', NEW.graph_id, 'is_deleted', NEW.is_deleted, 'tolerated_loss', NEW.tolerated_loss, 'merged_into', (SELECT COALESCE(graph_id, name) FROM jobs_graph WHERE id = NEW.merged_into_id)), NULL, NULL); RETURN NULL;", hash='0f8f93c66e1a856c39edf377fc59ecb94ba982ea', operation='UPDATE', pgid='pgtrigger_trail_of_changes_029d0', table='jobs_graph', when='AFTER')),
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
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='entry_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='777a5c186eeab437352e19bb6016f139111251c9', operation='UPDATE OR DELETE', pgid='pgtrigger_entry_stays_617a8', table='jobs_entry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='correction_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."actor_id" IS DISTINCT FROM (NEW."actor_id") OR OLD."corrected" IS DISTINCT FROM (NEW."corrected") OR OLD."field" IS DISTINCT FROM (NEW."field") OR OLD."graph_id" IS DISTINCT FROM (NEW."graph_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."job_id" IS DISTINCT FROM (NEW."job_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at") OR OLD."observed" IS DISTINCT FROM (NEW."observed") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."reason" IS DISTINCT FROM (NEW."reason"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a39961ecb2e58a5d3a0ff5b74edfe6ea6d5882d1', operation='UPDATE', pgid='pgtrigger_correction_stays_06daf', table='jobs_correction', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='undone_stays_undone', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."reverted_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6417ffc8a100a9da356a86d34cc3e76e85591c4a', operation='UPDATE', pgid='pgtrigger_undone_stays_undone_e61e2', table='jobs_correction', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='correction_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9eb85025f64028273c8bac2a4472837bffb4d971', operation='DELETE', pgid='pgtrigger_correction_is_kept_94b56', table='jobs_correction', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."reverted_at" IS DISTINCT FROM (NEW."reverted_at"))', func="PERFORM gesdash_note_change('undone', 'correction', NEW.id, COALESCE((SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.graph_id)), COALESCE((SELECT project_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_graph WHERE id = NEW.graph_id)), NEW.job_id, COALESCE(NEW.graph_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id)), jsonb_build_object('kind', OLD.kind, 'position', OLD.position, 'field', OLD.field, 'reverted_at', OLD.reverted_at, 'reverted_reason', OLD.reverted_reason, 'observed', CASE WHEN OLD.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = OLD.observed::bigint) ELSE OLD.observed END, 'corrected', CASE WHEN OLD.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = OLD.corrected::bigint) ELSE OLD.corrected END, 'reverted_by', (SELECT username FROM auth_user WHERE id = OLD.reverted_by_id)), jsonb_build_object('kind', NEW.kind, 'position', NEW.position, 'field', NEW.field, 'reverted_at', NEW.reverted_at, 'reverted_reason', NEW.reverted_reason, 'observed', CASE WHEN NEW.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.observed::bigint) ELSE NEW.observed END, 'corrected', CASE WHEN NEW.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.corrected::bigint) ELSE NEW.corrected END, 'reverted_by', (SELECT username FROM auth_user WHERE id = NEW.reverted_by_id)), COALESCE(NEW.reverted_by_id, NEW.actor_id), COALESCE(NEW.reverted_reason, NEW.reason)); RETURN NULL;", hash='e0780914c9f6502e2dee20becb40d66e004235a3', operation='UPDATE', pgid='pgtrigger_trail_of_changes_3fa90', table='jobs_correction', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'correction', NEW.id, COALESCE((SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.graph_id)), COALESCE((SELECT project_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_graph WHERE id = NEW.graph_id)), NEW.job_id, COALESCE(NEW.graph_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id)), NULL, jsonb_build_object('kind', NEW.kind, 'position', NEW.position, 'field', NEW.field, 'reverted_at', NEW.reverted_at, 'reverted_reason', NEW.reverted_reason, 'observed', CASE WHEN NEW.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.observed::bigint) ELSE NEW.observed END, 'corrected', CASE WHEN NEW.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = NEW.corrected::bigint) ELSE NEW.corrected END, 'reverted_by', (SELECT username FROM auth_user WHERE id = NEW.reverted_by_id)), COALESCE(NEW.reverted_by_id, NEW.actor_id), COALESCE(NEW.reverted_reason, NEW.reason)); RETURN NULL;", hash='e622d54d9f1cd9827ff79255a65621a6e01f17b4', operation='INSERT', pgid='pgtrigger_trail_of_made_af40d', table='jobs_correction', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='correction',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'correction', OLD.id, COALESCE((SELECT job_id FROM jobs_job WHERE id = OLD.job_id), (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = OLD.graph_id)), COALESCE((SELECT project_id FROM jobs_job WHERE id = OLD.job_id), (SELECT project_id FROM jobs_graph WHERE id = OLD.graph_id)), OLD.job_id, COALESCE(OLD.graph_id, (SELECT graph_id FROM jobs_job WHERE id = OLD.job_id)), jsonb_build_object('kind', OLD.kind, 'position', OLD.position, 'field', OLD.field, 'reverted_at', OLD.reverted_at, 'reverted_reason', OLD.reverted_reason, 'observed', CASE WHEN OLD.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = OLD.observed::bigint) ELSE OLD.observed END, 'corrected', CASE WHEN OLD.field = 'graph' THEN (SELECT COALESCE(NULLIF(name, ''), graph_id) FROM jobs_graph WHERE id = OLD.corrected::bigint) ELSE OLD.corrected END, 'reverted_by', (SELECT username FROM auth_user WHERE id = OLD.reverted_by_id)), NULL, COALESCE(OLD.reverted_by_id, OLD.actor_id), COALESCE(OLD.reverted_reason, OLD.reason)); RETURN NULL;", hash='a0993cce6af417167e9eaa188ac854644c6aca32', operation='DELETE', pgid='pgtrigger_trail_of_deleted_f1d7c', table='jobs_correction', when='AFTER')),
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
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func="PERFORM gesdash_note_change('changed', 'membership', NEW.id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NEW.project_id, NULL, NULL, jsonb_build_object('user', (SELECT username FROM auth_user WHERE id = OLD.user_id), 'project', (SELECT project_id FROM jobs_project WHERE id = OLD.project_id), 'role', OLD.role), jsonb_build_object('user', (SELECT username FROM auth_user WHERE id = NEW.user_id), 'project', (SELECT project_id FROM jobs_project WHERE id = NEW.project_id), 'role', NEW.role), NULL, NULL); RETURN NULL;", hash='7d7dfbcdaab47fb38845b956ee1731f8c349c425', operation='UPDATE', pgid='pgtrigger_trail_of_changes_39eb2', table='jobs_membership', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'membership', NEW.id, (SELECT username FROM auth_user WHERE id = NEW.user_id), NEW.project_id, NULL, NULL, NULL, jsonb_build_object('user', (SELECT username FROM auth_user WHERE id = NEW.user_id), 'project', (SELECT project_id FROM jobs_project WHERE id = NEW.project_id), 'role', NEW.role), NULL, NULL); RETURN NULL;", hash='0ae88c8b514e8dd28e260cdfb8ab7a271a158147', operation='INSERT', pgid='pgtrigger_trail_of_made_1dd2b', table='jobs_membership', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='membership',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'membership', OLD.id, (SELECT username FROM auth_user WHERE id = OLD.user_id), OLD.project_id, NULL, NULL, jsonb_build_object('user', (SELECT username FROM auth_user WHERE id = OLD.user_id), 'project', (SELECT project_id FROM jobs_project WHERE id = OLD.project_id), 'role', OLD.role), NULL, NULL, NULL); RETURN NULL;", hash='3af94f244fc6139158c9175751628fc8ee1418db', operation='DELETE', pgid='pgtrigger_trail_of_deleted_4d948', table='jobs_membership', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pruning',
            trigger=pgtrigger.compiler.Trigger(name='pruning_is_evidence', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a08986f31d2bdee7659ce3dcc7cf9a44f0f7cbfc', operation='UPDATE OR DELETE', pgid='pgtrigger_pruning_is_evidence_e836b', table='jobs_pruning', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='review_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e14c7181ee41b0ab7f1e219a6486244221650e9c', operation='UPDATE OR DELETE', pgid='pgtrigger_review_stays_f08e9', table='jobs_review', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."assignee_id" IS DISTINCT FROM (NEW."assignee_id") OR OLD."due_on" IS DISTINCT FROM (NEW."due_on") OR OLD."fixed_by_id" IS DISTINCT FROM (NEW."fixed_by_id") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."state" IS DISTINCT FROM (NEW."state"))', func="PERFORM gesdash_note_change('changed', 'review', NEW.id, (SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_job WHERE id = NEW.job_id), NEW.job_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id), jsonb_build_object('state', OLD.state, 'note', OLD.note, 'due_on', OLD.due_on, 'fixed_by', (SELECT job_id FROM jobs_job WHERE id = OLD.fixed_by_id), 'assignee', (SELECT username FROM auth_user WHERE id = OLD.assignee_id)), jsonb_build_object('state', NEW.state, 'note', NEW.note, 'due_on', NEW.due_on, 'fixed_by', (SELECT job_id FROM jobs_job WHERE id = NEW.fixed_by_id), 'assignee', (SELECT username FROM auth_user WHERE id = NEW.assignee_id)), NEW.actor_id, NEW.note); RETURN NULL;", hash='94b4c413541d400269a6fb5fd9e42dca3a974dac', operation='UPDATE', pgid='pgtrigger_trail_of_changes_ccc3d', table='jobs_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'review', NEW.id, (SELECT job_id FROM jobs_job WHERE id = NEW.job_id), (SELECT project_id FROM jobs_job WHERE id = NEW.job_id), NEW.job_id, (SELECT graph_id FROM jobs_job WHERE id = NEW.job_id), NULL, jsonb_build_object('state', NEW.state, 'note', NEW.note, 'due_on', NEW.due_on, 'fixed_by', (SELECT job_id FROM jobs_job WHERE id = NEW.fixed_by_id), 'assignee', (SELECT username FROM auth_user WHERE id = NEW.assignee_id)), NEW.actor_id, NEW.note); RETURN NULL;", hash='543b13c6631b2344c718fc493a53e9fb66f7adaa', operation='INSERT', pgid='pgtrigger_trail_of_made_b1e0f', table='jobs_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'review', OLD.id, (SELECT job_id FROM jobs_job WHERE id = OLD.job_id), (SELECT project_id FROM jobs_job WHERE id = OLD.job_id), OLD.job_id, (SELECT graph_id FROM jobs_job WHERE id = OLD.job_id), jsonb_build_object('state', OLD.state, 'note', OLD.note, 'due_on', OLD.due_on, 'fixed_by', (SELECT job_id FROM jobs_job WHERE id = OLD.fixed_by_id), 'assignee', (SELECT username FROM auth_user WHERE id = OLD.assignee_id)), NULL, OLD.actor_id, OLD.note); RETURN NULL;", hash='01ce6c97d52e75bed44e88a71d117f252fdd05e5', operation='DELETE', pgid='pgtrigger_trail_of_deleted_e9c96', table='jobs_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='savedview',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."is_shared" IS DISTINCT FROM (NEW."is_shared") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."owner_id" IS DISTINCT FROM (NEW."owner_id") OR OLD."query" IS DISTINCT FROM (NEW."query"))', func="PERFORM gesdash_note_change('changed', 'view', NEW.id, NEW.name, NULL, NULL, NULL, jsonb_build_object('name', OLD.name, 'query', OLD.query, 'is_shared', OLD.is_shared, 'owner', (SELECT username FROM auth_user WHERE id = OLD.owner_id)), jsonb_build_object('name', NEW.name, 'query', NEW.query, 'is_shared', NEW.is_shared, 'owner', (SELECT username FROM auth_user WHERE id = NEW.owner_id)), NEW.owner_id, NULL); RETURN NULL;", hash='d15c71b35a57da7fbe852896ab46cdfd336c2e24', operation='UPDATE', pgid='pgtrigger_trail_of_changes_dd6af', table='jobs_savedview', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='savedview',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'view', NEW.id, NEW.name, NULL, NULL, NULL, NULL, jsonb_build_object('name', NEW.name, 'query', NEW.query, 'is_shared', NEW.is_shared, 'owner', (SELECT username FROM auth_user WHERE id = NEW.owner_id)), NEW.owner_id, NULL); RETURN NULL;", hash='312d15d1e5f6eea8fe181b6db1af749eec30f328', operation='INSERT', pgid='pgtrigger_trail_of_made_46ad2', table='jobs_savedview', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='savedview',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'view', OLD.id, OLD.name, NULL, NULL, NULL, jsonb_build_object('name', OLD.name, 'query', OLD.query, 'is_shared', OLD.is_shared, 'owner', (SELECT username FROM auth_user WHERE id = OLD.owner_id)), NULL, OLD.owner_id, NULL); RETURN NULL;", hash='fc8ec3d7732a924bb5630613c42b1b1121dfe75c', operation='DELETE', pgid='pgtrigger_trail_of_deleted_79232', table='jobs_savedview', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snapshot',
            trigger=pgtrigger.compiler.Trigger(name='snapshot_is_evidence', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."content_type" IS DISTINCT FROM (NEW."content_type") OR OLD."first_seen_at" IS DISTINCT FROM (NEW."first_seen_at") OR OLD."http_status" IS DISTINCT FROM (NEW."http_status") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."job_id" IS DISTINCT FROM (NEW."job_id") OR OLD."link" IS DISTINCT FROM (NEW."link") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."sha256" IS DISTINCT FROM (NEW."sha256") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."version" IS DISTINCT FROM (NEW."version"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6718c8d1755c78bb6bdbc60f1aa203ef88586179', operation='UPDATE', pgid='pgtrigger_snapshot_is_evidence_f8388', table='jobs_snapshot', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='snapshot',
            trigger=pgtrigger.compiler.Trigger(name='snapshot_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (SELECT 1 FROM jobs_tombstone t WHERE t.id = OLD.id AND t.job_id = OLD.job_id AND t.link = OLD.link) THEN\n        RAISE EXCEPTION 'gesdash: Cannot delete rows from % table without a tombstone', TG_TABLE_NAME;\n    END IF;\n    RETURN OLD;\n", hash='0294f40ab9b01e4c88f8cec04825bd4086ac1eac', operation='DELETE', pgid='pgtrigger_snapshot_is_kept_b449b', table='jobs_snapshot', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tombstone',
            trigger=pgtrigger.compiler.Trigger(name='tombstone_is_evidence', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4bc89bf13d4368bc71bbdf47bd188be78814395b', operation='UPDATE OR DELETE', pgid='pgtrigger_tombstone_is_evidence_f5bd9', table='jobs_tombstone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='keyproject',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."project_id" IS DISTINCT FROM (NEW."project_id"))', func="PERFORM gesdash_note_change('changed', 'key', NEW.accesskey_id, (SELECT COALESCE(NULLIF(name, ''), access_key) FROM jobs_accesskey WHERE id = NEW.accesskey_id), NEW.project_id, NULL, NULL, jsonb_build_object('project', (SELECT project_id FROM jobs_project WHERE id = OLD.project_id)), jsonb_build_object('project', (SELECT project_id FROM jobs_project WHERE id = NEW.project_id)), NULL, NULL); RETURN NULL;", hash='23d20daf27fdf550fe24203298b7451b476bfe17', operation='UPDATE', pgid='pgtrigger_trail_of_changes_307f6', table='jobs_accesskey_projects', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='keyproject',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_made', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('made', 'key', NEW.accesskey_id, (SELECT COALESCE(NULLIF(name, ''), access_key) FROM jobs_accesskey WHERE id = NEW.accesskey_id), NEW.project_id, NULL, NULL, NULL, jsonb_build_object('project', (SELECT project_id FROM jobs_project WHERE id = NEW.project_id)), NULL, NULL); RETURN NULL;", hash='f59ef792b5bb432d4cd3544be204d0a7291ac529', operation='INSERT', pgid='pgtrigger_trail_of_made_660e1', table='jobs_accesskey_projects', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='keyproject',
            trigger=pgtrigger.compiler.Trigger(name='trail_of_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="PERFORM gesdash_note_change('deleted', 'key', OLD.accesskey_id, (SELECT COALESCE(NULLIF(name, ''), access_key) FROM jobs_accesskey WHERE id = OLD.accesskey_id), OLD.project_id, NULL, NULL, jsonb_build_object('project', (SELECT project_id FROM jobs_project WHERE id = OLD.project_id)), NULL, NULL, NULL); RETURN NULL;", hash='b8ba046070fce8b9ac438f31a61be807fdc9e8ca', operation='DELETE', pgid='pgtrigger_trail_of_deleted_40be7', table='jobs_accesskey_projects', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='watch',
            trigger=pgtrigger.compiler.Trigger(name='watch_is_of_its_jobs_project', sql=pgtrigger.compiler.UpsertTriggerSql(func='NEW.project_id = (SELECT project_id FROM jobs_job WHERE id = NEW.job_id); RETURN NEW;', hash='49bd53f4f39536e3cc80b1e4cbdd0bfbce793db4', operation='INSERT', pgid='pgtrigger_watch_is_of_its_jobs_project_94b85', table='jobs_watch', when='BEFORE')),
        ),
    ]
