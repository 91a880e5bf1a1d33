from django.db import migrations, models


class Migration(migrations.Migration):
    """The kinds of run are those that training.configs registers: a new one needs no migration."""

    dependencies = [("training", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="kind",
            field=models.CharField(
                help_text="one of training.configs.KINDS", max_length=16, verbose_name="kind"
            ),
        )
    ]
