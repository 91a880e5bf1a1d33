"""Several runs at once on one node: each names its cards."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0006_reference_model")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="cards",
            field=models.JSONField(
                default=list,
                help_text=(
                    "the GPUs of its node that it has, as CUDA names them; none: the node is its"
                    " own"
                ),
            ),
        ),
    ]
