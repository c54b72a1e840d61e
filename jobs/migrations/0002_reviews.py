import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Cause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fingerprint', models.CharField(max_length=64)),
                ('pattern', models.TextField()),
                ('example', models.TextField()),
                ('first_seen_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField()),
                ('note', models.TextField(blank=True)),
                ('note_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting for review'), ('tolerated', 'within the tolerated loss'), ('to_fix', 'to fix'), ('accepted', 'accepted'), ('fixed', 'fixed')], max_length=9)),
                ('note', models.TextField(blank=True, help_text='Why, or what is to be done; an accepted loss needs it.')),
                ('due_on', models.DateField(blank=True, null=True)),
                ('made_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('query', models.TextField(blank=True)),
                ('is_shared', models.BooleanField(default=False, verbose_name='shared with everybody')),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='graph',
            name='tolerated_loss',
            field=models.DecimalField(blank=True, decimal_places=4, help_text="Share of lines, 0 to 1; an import that loses no more waits for nobody's review.", max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)]),
        ),
        migrations.AddField(
            model_name='job',
            name='changed_at',
            field=models.DateTimeField(help_text='When this row last came to say something else.', null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='failed_lines',
            field=models.DecimalField(decimal_places=0, max_digits=30, null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='review',
            field=models.CharField(blank=True, choices=[('waiting', 'waiting for review'), ('tolerated', 'within the tolerated loss'), ('to_fix', 'to fix'), ('accepted', 'accepted'), ('fixed', 'fixed')], max_length=9),
        ),
        migrations.AddField(
            model_name='job',
            name='successful_lines',
            field=models.DecimalField(decimal_places=0, max_digits=30, null=True),
        ),
        migrations.AddField(
            model_name='job',
            name='total_lines',
            field=models.DecimalField(decimal_places=0, max_digits=30, null=True),
        ),
        # What stood there was a sentence as plain text; rebuilding the projections writes it anew.
        migrations.RemoveField(model_name='importfile', name='contradiction'),
        migrations.AddField(
            model_name='importfile',
            name='contradiction',
            field=models.JSONField(help_text='A sentence (ges.sentence), where the figures disagree.', null=True),
        ),
        migrations.AlterField(
            model_name='job',
            name='oddities',
            field=models.JSONField(default=list, help_text='Sentences (ges.sentence) about what was unusual.'),
        ),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('viewer', 'viewer'), ('reviewer', 'reviewer'), ('fixer', 'fixer')], default='viewer', max_length=10),
        ),
        migrations.AddField(
            model_name='job',
            name='duration',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('end_time'), '-', models.F('begin_time')), output_field=models.DurationField()),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.F('begin_time'), include=('verdict', 'file_count', 'failed_lines', 'successful_lines', 'graph'), name='job_by_day'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.OrderBy(models.F('begin_time'), descending=True), condition=models.Q(('review__in', ['waiting', 'to_fix'])), name='job_to_review'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('project'), models.OrderBy(models.F('changed_at'), descending=True, nulls_last=True), name='job_changed'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(models.F('graph'), models.F('job_name'), models.OrderBy(models.F('begin_time'), descending=True), include=('duration', 'verdict'), name='job_usual'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('review__in', ['', 'waiting', 'tolerated', 'to_fix', 'accepted', 'fixed'])), name='job_review_is_a_word'),
        ),
        migrations.AddField(
            model_name='cause',
            name='note_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='cause',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='causes', to='jobs.project'),
        ),
        migrations.AddField(
            model_name='importfile',
            name='cause_group',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='jobs.cause'),
        ),
        migrations.AddField(
            model_name='review',
            name='actor',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='review',
            name='assignee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assigned_reviews', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='review',
            name='fixed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fixes', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='review',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='savedview',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_views', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='cause',
            constraint=models.UniqueConstraint(fields=('project', 'fingerprint'), name='one_cause_a_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='cause',
            constraint=models.CheckConstraint(condition=models.Q(('last_seen_at__gte', models.F('first_seen_at'))), name='cause_in_order'),
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
    ]
