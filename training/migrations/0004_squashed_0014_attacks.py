"""What 0.2.0 adds to the tables of training."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [
        ('training', '0004_plain_help_text'),
        ('training', '0005_gates_and_draws'),
        ('training', '0006_reference_model'),
        ('training', '0007_cards_of_a_run'),
        ('training', '0008_ptx_snapshot'),
        ('training', '0009_suites'),
        ('training', '0010_curations'),
        ('training', '0011_publications_of_exports'),
        ('training', '0012_rule_samples'),
        ('training', '0013_database_defaults'),
        ('training', '0014_attacks'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0003_plain_labels'),
        ('labeling', '0004_squashed_0016_red_teaming'),
        ('training', '0001_squashed_0003_plain_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='SnapshotPrompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='labeling.prompt')),
                ('snapshot', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drawn', to='training.snapshot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('snapshot', 'prompt'), name='snapshot_prompt_once')],
            },
        ),
        migrations.CreateModel(
            name='Suite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('slug', models.SlugField(max_length=64)),
                ('version', models.CharField(max_length=32)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(max_length=16)),
                ('area', models.CharField(max_length=16)),
                ('scorer', models.CharField(max_length=32)),
                ('about', models.TextField(blank=True, default='')),
                ('licence', models.CharField(max_length=64)),
                ('origin', models.CharField(blank=True, default='', max_length=500)),
                ('options', models.JSONField(default=dict)),
                ('items_hash', models.CharField(max_length=64)),
                ('n_items', models.PositiveIntegerField()),
                ('is_shipped', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('retired_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('slug', 'version'), name='suite_version_once')],
            },
        ),
        migrations.CreateModel(
            name='RatedSuite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField()),
                ('against', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='training.run')),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.campaign')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rated_suites', to='training.run')),
                ('suite', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rated', to='training.suite')),
            ],
        ),
        migrations.CreateModel(
            name='SuiteItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('position', models.PositiveIntegerField()),
                ('key', models.CharField(max_length=200)),
                ('category', models.CharField(blank=True, default='', max_length=100)),
                ('cluster', models.CharField(blank=True, default='', max_length=200)),
                ('prompt', models.JSONField()),
                ('content', models.JSONField(default=dict)),
                ('suite', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='training.suite')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('suite', 'key'), name='suite_item_once'), models.UniqueConstraint(fields=('suite', 'position'), name='suite_item_position')],
            },
        ),
        migrations.CreateModel(
            name='BenchmarkAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('text', models.TextField(blank=True, default='')),
                ('follow_ups', models.JSONField(default=list)),
                ('values', models.JSONField(default=dict)),
                ('sampling', models.JSONField(default=dict)),
                ('is_ended', models.BooleanField(null=True)),
                ('missing', models.CharField(blank=True, default='', max_length=300)),
                ('response', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.response')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answers', to='training.run')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='training.suiteitem')),
                ('asked', models.JSONField(null=True)),
                ('sample', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('strategy', models.CharField(blank=True, db_default='', default='', max_length=16)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'item', 'strategy', 'sample'), name='benchmark_attempt_once')],
            },
        ),
        migrations.CreateModel(
            name='SuiteScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('scorer', models.CharField(max_length=64)),
                ('is_main', models.BooleanField()),
                ('is_current', models.BooleanField()),
                ('n', models.PositiveIntegerField()),
                ('n_missing', models.PositiveIntegerField(default=0)),
                ('score', models.FloatField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('details', models.JSONField(default=dict)),
                ('computed_at', models.DateTimeField()),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suite_scores', to='training.trainedmodel')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suite_scores', to='training.run')),
                ('suite', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suite_scores', to='training.suite')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_current', True), ('is_main', True)), fields=['model', 'suite'], name='suite_score_shown')],
                'constraints': [models.UniqueConstraint(fields=('run', 'suite', 'scorer'), name='suite_score_once')],
            },
        ),
        migrations.CreateModel(
            name='AnswerScore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('scorer', models.CharField(max_length=64)),
                ('value', models.FloatField()),
                ('label', models.CharField(blank=True, default='', max_length=32)),
                ('certainty', models.FloatField(null=True)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scores', to='training.benchmarkanswer')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('answer', 'scorer'), name='answer_score_once')],
            },
        ),
        migrations.CreateModel(
            name='Curation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=16)),
                ('filters', models.JSONField(default=dict)),
                ('recipe', models.JSONField(default=dict)),
                ('folder', models.CharField(max_length=64)),
                ('file_name', models.CharField(blank=True, default='', max_length=255)),
                ('makes_snapshot', models.BooleanField(default=False)),
                ('state', models.CharField(default='queued', max_length=16)),
                ('n_documents', models.PositiveIntegerField(null=True)),
                ('n_read', models.PositiveIntegerField(default=0)),
                ('account', models.JSONField(default=dict)),
                ('error', models.TextField(blank=True, default='')),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('n_lost', models.PositiveSmallIntegerField(default=0)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('snapshot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='curations', to='training.snapshot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('state',), name='curation_runs_alone')],
            },
        ),
        migrations.CreateModel(
            name='RestoredDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('recipe', models.CharField(max_length=80)),
                ('document', models.CharField(max_length=16)),
                ('rule', models.CharField(max_length=80)),
                ('excerpt', models.TextField()),
                ('restored_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('restored_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'document'), name='restored_document_once')],
            },
        ),
        migrations.CreateModel(
            name='RuleSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('recipe', models.CharField(max_length=80)),
                ('rule', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.campaign')),
            ],
        ),
        migrations.CreateModel(
            name='SampledDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('document', models.CharField(max_length=16)),
                ('is_removed', models.BooleanField()),
                ('response', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.response')),
                ('sample', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='training.rulesample')),
            ],
        ),
        migrations.CreateModel(
            name='AttackSample',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('n_attempts', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.campaign')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attack_samples', to='training.run')),
            ],
        ),
        migrations.CreateModel(
            name='SampledAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('probability', models.FloatField()),
                ('answer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sampled', to='training.benchmarkanswer')),
                ('response', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.response')),
                ('sample', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='training.attacksample')),
            ],
        ),
        migrations.AddField(
            model_name='run',
            name='reference_model',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs_near', to='training.trainedmodel'),
        ),
        migrations.AddField(
            model_name='run',
            name='cards',
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='run',
            name='ptx_snapshot',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs_mixing', to='training.snapshot'),
        ),
        migrations.AddField(
            model_name='run',
            name='attacker_model',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs_attacking', to='training.trainedmodel'),
        ),
        migrations.AddField(
            model_name='trainedmodel',
            name='approved_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='publication',
            name='model',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='publications', to='training.trainedmodel'),
        ),
        migrations.AddField(
            model_name='publication',
            name='export',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='publications', to='labeling.export'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('export__isnull', True), ('model__isnull', False)), models.Q(('export__isnull', False), ('model__isnull', True)), _connector='OR'), name='publication_of_one_thing'),
        ),
        migrations.AddField(
            model_name='link',
            name='model',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='gates', to='training.trainedmodel'),
        ),
        migrations.AddField(
            model_name='link',
            name='verdict',
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
