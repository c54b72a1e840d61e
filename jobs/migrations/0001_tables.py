"""The tables, with their indexes and constraints, as they were when migrations were squashed."""

import django.contrib.auth.models
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    # Databases that have the migrations of before the squash take these three for applied.
    replaces = [
        ('jobs', '0001_initial'),
        ('jobs', '0002_reviews'),
        ('jobs', '0003_proxy'),
        ('jobs', '0004_indexes'),
        ('jobs', '0005_words'),
        ('jobs', '0006_engine'),
        ('jobs', '0007_trust'),
        ('jobs', '0008_observed'),
        ('jobs', '0009_proof'),
        ('jobs', '0010_fixes'),
        ('jobs', '0011_proof_trail'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('project_id', models.CharField(max_length=255, unique=True)),
                ('name', models.CharField(blank=True, max_length=100)),
                ('endpoint', models.CharField(blank=True, max_length=300)),
                ('credentials', models.CharField(blank=True, max_length=100)),
                ('discovered_at', models.DateTimeField(blank=True, null=True)),
                ('problem', models.TextField(blank=True)),
                ('calls_per_minute', models.PositiveIntegerField(default=1500, validators=[django.core.validators.MinValueValidator(1)])),
                ('calls_per_second', models.PositiveIntegerField(default=50, validators=[django.core.validators.MinValueValidator(1)])),
                ('watches_proxied', models.BooleanField(default=True)),
                ('history_offset', models.PositiveIntegerField(blank=True, default=0, editable=False, null=True)),
                ('history_read_at', models.DateTimeField(blank=True, null=True)),
                ('clock_skew_ms', models.IntegerField(blank=True, editable=False, null=True)),
                ('keep_days', models.PositiveIntegerField(default=90)),
                ('keeps', models.CharField(default='all', max_length=7)),
            ],
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('job_id', models.CharField(max_length=255)),
                ('job_type', models.CharField(blank=True, max_length=255)),
                ('job_name', models.CharField(blank=True, max_length=255)),
                ('status', models.CharField(blank=True, max_length=255)),
                ('verdict', models.CharField(default='pending', max_length=10)),
                ('ledger', models.CharField(max_length=16, null=True)),
                ('begin_time', models.DateTimeField(null=True)),
                ('end_time', models.DateTimeField(null=True)),
                ('fail_reason', models.TextField(blank=True)),
                ('oddities', models.JSONField(default=list)),
                ('lines', models.JSONField(default=dict)),
                ('loss_rate', models.DecimalField(decimal_places=4, max_digits=5, null=True)),
                ('file_count', models.PositiveIntegerField(default=0)),
                ('lost_file_count', models.PositiveIntegerField(default=0)),
                ('first_seen_at', models.DateTimeField()),
                ('observed_at', models.DateTimeField(null=True)),
                ('snapshot_count', models.PositiveIntegerField(default=0)),
                ('changed_at', models.DateTimeField(null=True)),
                ('failed_lines', models.DecimalField(decimal_places=0, max_digits=30, null=True)),
                ('review', models.CharField(blank=True, max_length=9)),
                ('successful_lines', models.DecimalField(decimal_places=0, max_digits=30, null=True)),
                ('total_lines', models.DecimalField(decimal_places=0, max_digits=30, null=True)),
                ('duration', models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('end_time'), '-', models.F('begin_time')), output_field=models.DurationField())),
                ('odd_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('chain_length', models.PositiveIntegerField(default=0)),
                ('chain_link', models.BinaryField(max_length=32, null=True)),
                ('is_hidden', models.BooleanField(db_default=False, default=False)),
                ('observed', models.JSONField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('role', models.CharField(default='viewer', max_length=10)),
            ],
        ),
        migrations.CreateModel(
            name='GroupPermission',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.group_permissions',),
        ),
        migrations.CreateModel(
            name='TrackedGroup',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.group',),
            managers=[
                ('objects', django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.CreateModel(
            name='TrackedUser',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.user',),
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='UserGroup',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.user_groups',),
        ),
        migrations.CreateModel(
            name='UserPermission',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.user_user_permissions',),
        ),
        migrations.CreateModel(
            name='CallBudget',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='budget', serialize=False, to='jobs.project')),
                ('second_left', models.FloatField()),
                ('minute_left', models.FloatField()),
                ('counted_at', models.DateTimeField()),
                ('share', models.FloatField(default=1)),
                ('lowered_until', models.DateTimeField(null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='IamToken',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='jobs.project')),
                ('credentials', models.CharField(max_length=64)),
                ('sealed_value', models.BinaryField(default=b'')),
                ('expires_at', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('retry_at', models.DateTimeField(null=True)),
                ('problem', models.TextField(blank=True, default='')),
            ],
        ),
        migrations.CreateModel(
            name='AccessKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('access_key', models.CharField(max_length=40, unique=True)),
                ('sealed_secret', models.BinaryField()),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('all_projects', models.BooleanField(default=False)),
                ('counted_minute', models.DateTimeField(editable=False, null=True)),
                ('counted_requests', models.PositiveIntegerField(default=0, editable=False)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('requests_per_minute', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)])),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('noted_on', models.DateField(editable=False, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='access_keys', to=settings.AUTH_USER_MODEL)),
                ('projects', models.ManyToManyField(blank=True, related_name='access_keys', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Cause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('fingerprint', models.CharField(max_length=64)),
                ('pattern', models.TextField()),
                ('example', models.TextField()),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('note', models.TextField(blank=True)),
                ('note_at', models.DateTimeField(blank=True, null=True)),
                ('note_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='causes', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('sealed_at', models.DateTimeField()),
                ('up_to', models.BigIntegerField()),
                ('jobs', models.PositiveIntegerField()),
                ('replies', models.PositiveBigIntegerField()),
                ('root', models.BinaryField(max_length=32)),
                ('before', models.BinaryField(max_length=32)),
                ('digest', models.BinaryField(max_length=32)),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='checkpoints', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Graph',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('graph_id', models.CharField(blank=True, max_length=255, null=True)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('is_deleted', models.BooleanField(default=False)),
                ('tolerated_loss', models.DecimalField(blank=True, decimal_places=4, max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)])),
                ('created_at', models.DateTimeField(blank=True, null=True)),
                ('forgotten_jobs', models.JSONField(blank=True, default=list, editable=False)),
                ('merged_into', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='jobs.graph')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='graphs', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='watch', serialize=False, to='jobs.job')),
                ('next_poll_at', models.DateTimeField(null=True)),
                ('leased_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('lease', models.BigIntegerField(null=True)),
                ('problem', models.TextField(blank=True, default='')),
            ],
        ),
        migrations.AddField(
            model_name='job',
            name='graph',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='jobs.graph'),
        ),
        migrations.AddField(
            model_name='job',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='jobs.project'),
        ),
        migrations.CreateModel(
            name='ImportFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=6)),
                ('position', models.PositiveIntegerField()),
                ('path', models.TextField()),
                ('log', models.TextField(null=True)),
                ('status', models.CharField(blank=True, max_length=255)),
                ('verdict', models.CharField(max_length=10)),
                ('ledger', models.CharField(max_length=16)),
                ('cause', models.TextField(null=True)),
                ('total_lines', models.BigIntegerField(null=True)),
                ('failed_lines', models.BigIntegerField(null=True)),
                ('successful_lines', models.BigIntegerField(null=True)),
                ('contradiction', models.JSONField(null=True)),
                ('cause_group', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='jobs.cause')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('reason', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='hold', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('deed', models.CharField(max_length=14)),
                ('what', models.CharField(max_length=10)),
                ('object_id', models.BigIntegerField(null=True)),
                ('object_name', models.CharField(blank=True, max_length=300)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.TextField(blank=True)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor', models.CharField(blank=True, max_length=150)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('path', models.TextField(blank=True)),
                ('project', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='jobs.project')),
                ('graph', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='jobs.graph')),
                ('job', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(blank=True, max_length=6)),
                ('position', models.PositiveIntegerField(blank=True, null=True)),
                ('field', models.CharField(max_length=20)),
                ('observed', models.TextField(blank=True, null=True)),
                ('corrected', models.TextField(blank=True, null=True)),
                ('reason', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('reverted_at', models.DateTimeField(blank=True, null=True)),
                ('flag', models.CharField(blank=True, max_length=12)),
                ('newest', models.TextField(blank=True, null=True)),
                ('reverted_reason', models.TextField(blank=True, null=True)),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reverted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('graph', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='jobs.graph')),
                ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='jobs.job')),
            ],
        ),
        migrations.AddField(
            model_name='project',
            name='members',
            field=models.ManyToManyField(related_name='ges_projects', through='jobs.Membership', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='membership',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='jobs.project'),
        ),
        migrations.AddField(
            model_name='membership',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='Miss',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('source', models.CharField(max_length=6)),
                ('kind', models.CharField(max_length=20)),
                ('detail', models.TextField(blank=True)),
                ('http_status', models.PositiveSmallIntegerField(null=True)),
                ('body', models.BinaryField(null=True)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('seen', models.PositiveIntegerField(default=1)),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='misses', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='OddReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField()),
                ('kind', models.CharField(max_length=12)),
                ('count', models.PositiveIntegerField()),
                ('says', models.JSONField()),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='odd_replies', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Pruning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('made_at', models.DateTimeField()),
                ('keeps', models.CharField(max_length=7)),
                ('keep_days', models.PositiveIntegerField()),
                ('replies', models.PositiveIntegerField()),
                ('misses', models.PositiveIntegerField()),
                ('size', models.PositiveBigIntegerField()),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prunings', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('state', models.CharField(max_length=9)),
                ('note', models.TextField(blank=True)),
                ('due_on', models.DateField(blank=True, null=True)),
                ('made_at', models.DateTimeField()),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_reviews', to=settings.AUTH_USER_MODEL)),
                ('fixed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fixes', to='jobs.job')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('query', models.TextField(blank=True)),
                ('is_shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Snapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('source', models.CharField(max_length=6)),
                ('version', models.PositiveSmallIntegerField()),
                ('http_status', models.PositiveSmallIntegerField()),
                ('body', models.BinaryField()),
                ('sha256', models.BinaryField(max_length=32)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('seen', models.PositiveIntegerField(default=1)),
                ('content_type', models.CharField(blank=True, db_default='', default='', max_length=255)),
                ('link', models.BinaryField(max_length=32)),
                ('number', models.PositiveIntegerField()),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='jobs.job')),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=7)),
                ('name', models.CharField(max_length=80)),
                ('count', models.BigIntegerField()),
                ('seconds', models.FloatField()),
                ('last_at', models.DateTimeField()),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Tombstone',
            fields=[
                ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('source', models.CharField(max_length=6)),
                ('version', models.PositiveSmallIntegerField()),
                ('http_status', models.PositiveSmallIntegerField()),
                ('content_type', models.CharField(blank=True, max_length=255)),
                ('sha256', models.BinaryField(max_length=32)),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('seen', models.PositiveIntegerField()),
                ('link', models.BinaryField(max_length=32)),
                ('size', models.PositiveIntegerField()),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tombstones', to='jobs.job')),
                ('pruning', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tombstones', to='jobs.pruning')),
            ],
        ),
        migrations.CreateModel(
            name='Verification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('job_id', models.CharField(blank=True, max_length=255)),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('jobs', models.PositiveIntegerField()),
                ('replies', models.PositiveBigIntegerField()),
                ('tombstones', models.PositiveBigIntegerField()),
                ('checkpoints', models.PositiveIntegerField()),
                ('faults', models.PositiveIntegerField()),
                ('sentences', models.JSONField(default=list)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verifications', to='jobs.project')),
            ],
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('graph_id', models.CharField(max_length=255)),
                ('job_id', models.CharField(max_length=255)),
                ('version', models.PositiveSmallIntegerField()),
                ('leased_until', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('http_status', models.PositiveSmallIntegerField(null=True)),
                ('content_type', models.TextField(blank=True)),
                ('request_id', models.TextField(blank=True)),
                ('body', models.BinaryField(null=True)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'graph_id', 'job_id', 'version'), name='one_call_a_question')],
            },
        ),
        migrations.CreateModel(
            name='KeyProject',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('jobs.accesskey_projects',),
        ),
        migrations.AddConstraint(
            model_name='cause',
            constraint=models.UniqueConstraint(fields=('project', 'fingerprint'), name='one_cause_a_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='cause',
            constraint=models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='cause_in_order'),
        ),
        migrations.AddConstraint(
            model_name='checkpoint',
            constraint=models.UniqueConstraint(fields=('project', 'number'), name='one_checkpoint_a_number'),
        ),
        migrations.AddConstraint(
            model_name='graph',
            constraint=models.UniqueConstraint(fields=('project', 'graph_id'), name='one_graph_an_id'),
        ),
        migrations.AddConstraint(
            model_name='graph',
            constraint=models.UniqueConstraint(condition=models.Q(('graph_id', None)), fields=('project', 'name'), name='one_graph_a_bare_name'),
        ),
        migrations.AddConstraint(
            model_name='graph',
            constraint=models.CheckConstraint(condition=models.Q(('graph_id', ''), _negated=True), name='graph_id_not_empty'),
        ),
        migrations.AddField(
            model_name='watch',
            name='project',
            field=models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='jobs.project'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('first_seen_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_newest'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.OrderBy(models.F('changed_at'), descending=True, nulls_last=True), name='job_changed'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('begin_time'), descending=True, nulls_first=True), models.OrderBy(models.F('id'), descending=True), include=('verdict',), name='job_by_begin'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('end_time'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_end'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('duration'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_duration'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('failed_lines'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_failed'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('loss_rate'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_loss'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('job_name'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_name'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('graph'), models.OrderBy(models.F('begin_time'), descending=True, nulls_first=True), models.OrderBy(models.F('id'), descending=True), include=('verdict',), name='job_of_graph'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('graph'), models.F('end_time'), name='job_of_graph_by_end'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('verdict'), models.OrderBy(models.F('begin_time'), descending=True), models.OrderBy(models.F('id'), descending=True), name='job_by_verdict'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('review'), models.OrderBy(models.F('begin_time'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('review', ''), _negated=True), name='job_by_review'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('ledger'), condition=models.Q(('ledger__in', ['does_not_add_up', 'cannot_tell'])), name='job_by_ledger'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(django.db.models.functions.text.Upper('status'), name='job_by_status'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(django.db.models.functions.text.Upper('job_name'), name='job_by_any_name'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(django.db.models.functions.text.Upper('job_type'), name='job_by_type'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(django.contrib.postgres.indexes.OpClass('job_id', 'varchar_pattern_ops'), name='job_by_id'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('begin_time'), descending=True), models.OrderBy(models.F('id'), descending=True), models.F('project'), condition=models.Q(('review__in', ['waiting', 'to_fix'])), name='job_to_review'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('end_time'), condition=models.Q(('end_time__isnull', False), models.Q(('begin_time', None), ('begin_time__gt', models.F('end_time')), _connector='OR')), name='job_of_odd_times'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.OrderBy(models.F('begin_time'), descending=True, nulls_first=True), models.OrderBy(models.F('id'), descending=True), include=('verdict',), name='job_of_project'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.OrderBy(models.F('begin_time'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('odd_count__gt', 0)), name='job_odd'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('begin_time'), models.F('project'), include=('verdict', 'file_count', 'failed_lines', 'successful_lines', 'graph', 'is_hidden'), name='job_by_day'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('begin_time'), models.F('project'), condition=models.Q(('lost_file_count__gt', 0)), include=('id', 'graph', 'loss_rate', 'verdict', 'is_hidden'), name='job_lossy'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('graph'), models.F('job_name'), models.OrderBy(models.F('begin_time'), descending=True), include=('duration', 'verdict', 'is_hidden'), name='job_usual'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('is_hidden', True)), name='job_hidden'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(fields=('project', 'job_id'), name='one_job_an_id'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['pending', 'running', 'success', 'partial', 'failed', 'cancelled', 'unknown'])), name='job_verdict_is_a_word'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('job_id', ''), _negated=True), name='job_id_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('review__in', ['', 'waiting', 'tolerated', 'to_fix', 'accepted', 'fixed'])), name='job_review_is_a_word'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=models.Index(models.F('job'), condition=models.Q(('cause__isnull', False)), name='file_caused'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=django.contrib.postgres.indexes.HashIndex(models.F('path'), name='file_by_path'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass('path', 'gin_trgm_ops'), name='file_by_path_part'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('cause'), 'gin_trgm_ops'), name='file_by_cause_part'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=models.Index(models.F('cause_group'), models.F('job'), condition=models.Q(('cause_group__isnull', False)), include=('failed_lines',), name='file_by_cause'),
        ),
        migrations.AddIndex(
            model_name='importfile',
            index=models.Index(models.F('job'), models.F('cause_group'), condition=models.Q(('cause_group__isnull', False)), include=('failed_lines',), name='file_lost'),
        ),
        migrations.AddConstraint(
            model_name='importfile',
            constraint=models.UniqueConstraint(fields=('job', 'kind', 'position'), name='one_file_a_place'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_newest'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('project'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_project'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('job'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('job__isnull', False)), name='entry_of_job'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('graph'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('graph__isnull', False)), name='entry_of_graph'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('actor'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_actor'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(models.F('what'), models.OrderBy(models.F('at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='entry_of_what'),
        ),
        migrations.AddIndex(
            model_name='correction',
            index=models.Index(models.OrderBy(models.F('id'), descending=True), condition=models.Q(models.Q(('flag', ''), _negated=True), ('reverted_at', None)), name='correction_flagged'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.CheckConstraint(condition=models.Q(('reason__regex', '\\S')), name='correction_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('graph__isnull', False), ('job__isnull', True)), models.Q(('graph__isnull', True), ('job__isnull', False)), _connector='OR'), name='correction_of_a_job_or_a_graph'),
        ),
        migrations.AddConstraint(
            model_name='correction',
            constraint=models.UniqueConstraint(condition=models.Q(('reverted_at', None)), fields=('job', 'graph', 'kind', 'position', 'field'), name='one_standing_correction', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='project',
            constraint=models.CheckConstraint(condition=models.Q(('project_id', ''), _negated=True), name='project_id_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('project', 'user'), name='one_membership'),
        ),
        migrations.AddIndex(
            model_name='miss',
            index=models.Index(models.F('job'), models.OrderBy(models.F('last_seen_at'), descending=True), name='miss_of_job'),
        ),
        migrations.AddIndex(
            model_name='miss',
            index=models.Index(models.OrderBy(models.F('last_seen_at'), descending=True), name='miss_newest'),
        ),
        migrations.AddConstraint(
            model_name='miss',
            constraint=models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='miss_in_order'),
        ),
        migrations.AddConstraint(
            model_name='oddreply',
            constraint=models.UniqueConstraint(fields=('job', 'seen_at', 'kind'), name='one_oddity_a_kind'),
        ),
        migrations.AddIndex(
            model_name='presence',
            index=models.Index(models.F('project'), models.OrderBy(models.F('last_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='presence_newest'),
        ),
        migrations.AddConstraint(
            model_name='presence',
            constraint=models.CheckConstraint(condition=models.Q(('last_at__gte', models.F('first_at'))), name='presence_in_order'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(models.F('job'), models.OrderBy(models.F('id'), descending=True), name='review_newest'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='accepted_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'fixed'), _negated=True), ('fixed_by__isnull', False), _connector='OR'), name='fixed_by_a_job'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'tolerated'), _negated=True), name='tolerance_is_no_decision'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='one_view_a_name'),
        ),
        migrations.AddConstraint(
            model_name='savedview',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='view_has_a_name'),
        ),
        migrations.AddIndex(
            model_name='snapshot',
            index=models.Index(models.F('job'), models.OrderBy(models.F('first_seen_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='snapshot_of_job'),
        ),
        migrations.AddConstraint(
            model_name='snapshot',
            constraint=models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='snapshot_in_order'),
        ),
        migrations.AddConstraint(
            model_name='snapshot',
            constraint=models.UniqueConstraint(fields=('job', 'source', 'first_seen_at', 'sha256'), name='snapshot_once'),
        ),
        migrations.AddConstraint(
            model_name='snapshot',
            constraint=models.UniqueConstraint(fields=('job', 'number'), name='snapshot_in_chain'),
        ),
        migrations.AddConstraint(
            model_name='tally',
            constraint=models.UniqueConstraint(fields=('project', 'kind', 'name'), name='one_tally_a_name'),
        ),
        migrations.AddConstraint(
            model_name='tombstone',
            constraint=models.UniqueConstraint(fields=('job', 'number'), name='one_tombstone_a_number'),
        ),
        migrations.AddIndex(
            model_name='watch',
            index=models.Index(models.F('project'), models.F('next_poll_at'), condition=models.Q(('next_poll_at__isnull', False)), name='watch_due'),
        ),
        migrations.AddIndex(
            model_name='watch',
            index=models.Index(models.F('project'), condition=models.Q(('problem', ''), _negated=True), name='watch_set_aside'),
        ),
    ]
