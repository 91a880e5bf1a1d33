# The text that PPO-ptx mixes in.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0007_cards_of_a_run'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='ptx_snapshot',
            field=models.ForeignKey(blank=True, help_text='the text that PPO-ptx mixes in; none: demonstrations of the snapshot', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs_mixing', to='training.snapshot'),
        ),
    ]
