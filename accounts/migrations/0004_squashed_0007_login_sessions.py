"""What 0.2.0 adds to the tables of accounts."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Lower


def remove_old_addresses(apps: Any, schema_editor: Any) -> None:
    """allauth writes a row when it makes a link that sets a password. In 0.1.0 the row stayed when
    the address changed, and the old address could still ask for a new password.
    """
    addresses = apps.get_model("account", "EmailAddress").objects
    addresses.exclude(email=Lower(F("user__email"))).delete()


class Migration(migrations.Migration):

    replaces = [
        ('accounts', '0004_old_addresses'),
        ('accounts', '0005_plain_help_text'),
        ('accounts', '0006_backups'),
        ('accounts', '0007_login_sessions'),
    ]

    dependencies = [
        ('account', '0001_initial'),
        ('accounts', '0001_squashed_0003_plain_labels'),
    ]

    operations = [
        migrations.CreateModel(
            name='Backup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('place', models.CharField(max_length=500)),
                ('name', models.CharField(blank=True, default='', max_length=32)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('n_files', models.PositiveBigIntegerField(default=0)),
                ('n_rows', models.PositiveBigIntegerField(default=0)),
                ('n_bytes', models.PositiveBigIntegerField(default=0)),
                ('n_new_bytes', models.PositiveBigIntegerField(default=0)),
                ('missing', models.JSONField(default=list)),
                ('problem', models.TextField(blank=True, default='')),
            ],
            options={
                'indexes': [models.Index(fields=['place', 'started_at'], name='backup_by_place')],
            },
        ),
        migrations.CreateModel(
            name='LoginSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False)),
                ('session_key', models.CharField(max_length=40, unique=True)),
                ('address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='login_sessions', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(remove_old_addresses, migrations.RunPython.noop),
    ]
