from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labeling", "0006_sources_without_email"),
    ]

    operations = [
        migrations.AlterField(
            model_name="slot",
            name="queue_rank",
            field=models.BigIntegerField(
                help_text="order in which free slots are handed out, low first; kept by the queue"
            ),
        ),
    ]
