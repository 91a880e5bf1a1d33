"""What 0.2.0 adds to the tables of labeling."""

from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def remove_schedule(apps: Any, schema_editor: Any) -> None:
    """Celery beat keeps what was once scheduled, and would send a task that no longer exists for
    ever.
    """
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(
        name="precompute-texts"
    ).delete()


def rename_sources(apps: Any, schema_editor: Any) -> None:
    """The source of a typed prompt was named by its author's e-mail address, and left the site with
    the prompt.
    """
    Source = apps.get_model("labeling", "Source")
    by_email = Source.objects.filter(kind="person", person__isnull=False, name__contains="@")
    for source in by_email.exclude(name__startswith="rater ").order_by("pk"):
        name = f"person {source.person_id}"
        if Source.objects.filter(name=name).exists():  # the address changed in between
            name = f"{name} ({source.pk})"
        Source.objects.filter(pk=source.pk).update(name=name)


class Migration(migrations.Migration):

    replaces = [
        ('labeling', '0004_remove_precompute_task'),
        ('labeling', '0005_judgment_events'),
        ('labeling', '0006_sources_without_email'),
        ('labeling', '0007_queue_rank_help'),
        ('labeling', '0008_plain_help_text'),
        ('labeling', '0009_licences_and_columns'),
        ('labeling', '0010_exports_and_hub_downloads'),
        ('labeling', '0011_prolific'),
        ('labeling', '0012_answers_from_files'),
        ('labeling', '0013_conversations'),
        ('labeling', '0014_database_defaults'),
        ('labeling', '0015_conversation_ratings'),
        ('labeling', '0016_red_teaming'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0003_plain_labels'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('labeling', '0001_squashed_0003_plain_labels'),
    ]

    operations = [
        migrations.CreateModel(
            name='JudgmentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('at', models.DateTimeField()),
                ('judgment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='labeling.judgment')),
            ],
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('shape', models.CharField(max_length=32)),
                ('style', models.CharField(max_length=16)),
                ('file_format', models.CharField(max_length=8)),
                ('options', models.JSONField(default=dict)),
                ('state', models.CharField(default='queued', max_length=16)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('n_rows', models.PositiveIntegerField(default=0)),
                ('left_out', models.JSONField(default=dict)),
                ('card', models.TextField(blank=True, default='')),
                ('file_name', models.CharField(blank=True, default='', max_length=64)),
                ('n_bytes', models.BigIntegerField(default=0)),
                ('error', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='labeling.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='HubDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('repository', models.CharField(max_length=200)),
                ('config', models.CharField(blank=True, default='', max_length=200)),
                ('split', models.CharField(blank=True, default='', max_length=200)),
                ('revision', models.CharField(blank=True, default='', max_length=200)),
                ('options', models.JSONField(default=dict)),
                ('state', models.CharField(default='queued', max_length=16)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('bytes_total', models.BigIntegerField(default=0)),
                ('bytes_read', models.BigIntegerField(default=0)),
                ('licence', models.CharField(blank=True, default='', max_length=64)),
                ('is_cached', models.BooleanField(default=False)),
                ('file_name', models.CharField(blank=True, default='', max_length=64)),
                ('error', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('import_batch', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='hub_download', to='labeling.import')),
            ],
        ),
        migrations.CreateModel(
            name='ProlificStudy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('prolific_id', models.CharField(max_length=64, unique=True)),
                ('project_id', models.CharField(blank=True, default='', max_length=64)),
                ('description', models.TextField()),
                ('eligibility', models.TextField(blank=True, default='')),
                ('filter_set_id', models.CharField(blank=True, default='', max_length=64)),
                ('reward', models.PositiveIntegerField()),
                ('minutes', models.PositiveSmallIntegerField()),
                ('n_places', models.PositiveIntegerField()),
                ('screen_out_reward', models.PositiveIntegerField(null=True)),
                ('screen_out_places', models.PositiveIntegerField(null=True)),
                ('screen_out_code', models.CharField(max_length=32)),
                ('no_work_code', models.CharField(max_length=32)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('status', models.CharField(default='UNPUBLISHED', max_length=32)),
                ('polled_at', models.DateTimeField(null=True)),
                ('poll_due_at', models.DateTimeField()),
                ('n_failures', models.PositiveSmallIntegerField(default=0)),
                ('problem', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='prolific_study', to='labeling.crowdlink')),
            ],
            options={
                'indexes': [models.Index(fields=['poll_due_at'], name='prolific_poll_due')],
            },
        ),
        migrations.CreateModel(
            name='ProlificBonusBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('prolific_id', models.CharField(max_length=64)),
                ('state', models.CharField(default='ready', max_length=16)),
                ('amount', models.PositiveIntegerField()),
                ('total', models.PositiveIntegerField()),
                ('problem', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField()),
                ('send_due_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('looked_up_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bonuses', to='labeling.prolificstudy')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'sending', 'sent', 'unconfirmed'])), fields=['state'], name='prolific_bonus_unsettled')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['ready', 'queued', 'sending', 'unconfirmed', 'not_found'])), fields=('study',), name='prolific_one_open_bonus')],
            },
        ),
        migrations.CreateModel(
            name='ProlificSubmission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('prolific_id', models.CharField(max_length=64, unique=True)),
                ('participant_id', models.CharField(max_length=200)),
                ('status', models.CharField(max_length=32)),
                ('code', models.CharField(blank=True, default='', max_length=64)),
                ('started_at', models.DateTimeField(null=True)),
                ('completed_at', models.DateTimeField(null=True)),
                ('return_asked_at', models.DateTimeField(null=True)),
                ('bonus_seen', models.PositiveIntegerField(default=0)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='submissions', to='labeling.prolificstudy')),
                ('visit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='prolific_submissions', to='labeling.crowdvisit')),
            ],
            options={
                'indexes': [models.Index(fields=['study', 'participant_id'], name='prolific_study_participant')],
            },
        ),
        migrations.CreateModel(
            name='ProlificBonus',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('amount', models.PositiveIntegerField()),
                ('n_before', models.PositiveSmallIntegerField(null=True)),
                ('is_paid', models.BooleanField(default=False)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='labeling.prolificbonusbatch')),
                ('submission', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bonuses', to='labeling.prolificsubmission')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('batch', 'submission'), name='prolific_bonus_once')],
            },
        ),
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('state', models.CharField(default='open', max_length=16)),
                ('seed', models.BigIntegerField()),
                ('n_turns', models.PositiveSmallIntegerField(default=0)),
                ('goal_rating', models.PositiveSmallIntegerField(null=True)),
                ('remark', models.TextField(blank=True, default='')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('finished_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='conversations', to='labeling.item')),
                ('rater', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='labeling.rater')),
                ('ratings', models.JSONField(db_default={}, default=dict)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'rater'), name='conversation_once'), models.CheckConstraint(condition=models.Q(('goal_rating__isnull', True), ('goal_rating__range', (1, 7)), _connector='OR'), name='conversation_goal_in_range')],
            },
        ),
        migrations.CreateModel(
            name='ConversationPlan',
            fields=[
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='conversation_plan', serialize=False, to='labeling.campaign')),
                ('brief', models.TextField(blank=True, default='')),
                ('opening', models.CharField(default='prompt', max_length=16)),
                ('draws', models.CharField(default='conversation', max_length=16)),
                ('min_turns', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)])),
                ('max_turns', models.PositiveSmallIntegerField(default=6, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(50)])),
                ('max_new_tokens', models.PositiveSmallIntegerField(default=512, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(4096)])),
                ('top_p', models.FloatField(default=0.95, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1)])),
                ('rates_end', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('max_turns__gte', models.F('min_turns')), ('min_turns__gte', 1)), name='conversation_turns_in_order')],
            },
        ),
        migrations.CreateModel(
            name='ConversationSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('weight', models.FloatField(default=1.0)),
                ('temperature', models.FloatField(default=1.0)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='labeling.conversationplan')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.source')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('plan', 'source'), name='conversation_source_once'), models.CheckConstraint(condition=models.Q(('temperature__gte', 0), ('weight__gt', 0)), name='conversation_source_in_range')],
            },
        ),
        migrations.CreateModel(
            name='ConversationTurn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('state', models.CharField(default='waiting', max_length=16)),
                ('lease', models.UUIDField(unique=True)),
                ('seed', models.BigIntegerField()),
                ('round', models.PositiveSmallIntegerField(default=1)),
                ('n_regenerated', models.PositiveSmallIntegerField(default=0)),
                ('propensity', models.FloatField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('answered_at', models.DateTimeField(null=True)),
                ('rated_at', models.DateTimeField(null=True)),
                ('chosen', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.response')),
                ('conversation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='turns', to='labeling.conversation')),
                ('guideline_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.guidelineversion')),
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='conversation_turn', to='labeling.item')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversation_turns', to='labeling.prompt')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('conversation', 'number'), name='conversation_turn_once'), models.UniqueConstraint(condition=models.Q(('state__in', ('waiting', 'ready', 'failed'))), fields=('conversation',), name='conversation_one_turn'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'rated'), _negated=True), ('chosen__isnull', False), _connector='OR'), name='conversation_turn_goes_on')],
            },
        ),
        migrations.CreateModel(
            name='TurnRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('round', models.PositiveSmallIntegerField(default=1)),
                ('place', models.PositiveSmallIntegerField()),
                ('draw', models.PositiveSmallIntegerField(default=0)),
                ('sampling', models.JSONField()),
                ('state', models.CharField(default='queued', max_length=16)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('expires_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('ended_at', models.DateTimeField(null=True)),
                ('response', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='turn_request', to='labeling.response')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.source')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='labeling.conversationturn')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ('queued', 'claimed'))), fields=['created_at'], name='turn_request_queue')],
                'constraints': [models.UniqueConstraint(fields=('turn', 'round', 'place', 'draw'), name='turn_request_once'), models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'claimed', 'answered'))), fields=('turn', 'round', 'place'), name='turn_request_one_a_place'), models.CheckConstraint(condition=models.Q(models.Q(('response__isnull', False), ('state', 'answered')), models.Q(models.Q(('state', 'answered'), _negated=True), ('response__isnull', True)), _connector='OR'), name='turn_request_answer_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='AttackBrief',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('goal', models.TextField()),
                ('area', models.CharField(max_length=16)),
                ('rule', models.CharField(max_length=500)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attack_briefs', to='labeling.campaign')),
                ('guideline_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.guidelineversion')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.prompt')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='attack_brief_number'), models.UniqueConstraint(fields=('campaign', 'prompt'), name='attack_brief_prompt')],
            },
        ),
        migrations.CreateModel(
            name='Attack',
            fields=[
                ('conversation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='attack', serialize=False, to='labeling.conversation')),
                ('success', models.PositiveSmallIntegerField()),
                ('severity', models.PositiveSmallIntegerField()),
                ('tags', models.JSONField(default=list)),
                ('tried', models.CharField(max_length=300)),
                ('likeness', models.FloatField(null=True)),
                ('repeats_wording', models.BooleanField(default=False)),
                ('ended_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('demonstration_item', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='answered_attack', to='labeling.item')),
                ('pair_item', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='paired_attack', to='labeling.item')),
                ('review_item', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviewed_attack', to='labeling.item')),
                ('turn', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.conversationturn')),
                ('brief', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attacks', to='labeling.attackbrief')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('severity__range', (0, 4)), ('success__range', (0, 4))), name='attack_in_range'), models.CheckConstraint(condition=models.Q(models.Q(('demonstration_item__isnull', True), ('used_at__isnull', True)), models.Q(('demonstration_item__isnull', False), ('used_at__isnull', False)), _connector='OR'), name='attack_use_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='RedTeaming',
            fields=[
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='red_teaming', serialize=False, to='labeling.campaign')),
                ('n_reviewers', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10)])),
                ('demonstration_campaign', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='answers_attacks_of', to='labeling.campaign')),
                ('review_campaign', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviews_attacks_of', to='labeling.campaign')),
                ('review_guideline', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.guideline')),
                ('review_pool', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='labeling.pool')),
            ],
        ),
        migrations.AddField(
            model_name='import',
            name='columns',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='import',
            name='annotations',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name='item',
            name='is_turn',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RemoveConstraint(
            model_name='campaign',
            name='campaign_responses_fit_kind',
        ),
        migrations.AddField(
            model_name='campaign',
            name='import_batch',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='labeling.import'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='is_hidden',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'demonstration'), ('n_responses__isnull', True)), models.Q(('kind', 'comparison'), ('n_responses__range', (2, 9))), models.Q(('import_batch__isnull', False), ('kind', 'comparison'), ('n_responses__gte', 1)), models.Q(('kind', 'conversation'), ('n_responses__range', (2, 4))), _connector='OR'), name='campaign_responses_fit_kind'),
        ),
        migrations.AddField(
            model_name='crowdvisit',
            name='code',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='response',
            name='licence',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='response',
            name='marks',
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.RunPython(remove_schedule, migrations.RunPython.noop),
        migrations.RunPython(rename_sources, migrations.RunPython.noop),
    ]
