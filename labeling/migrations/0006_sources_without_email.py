from django.db import migrations


def rename(apps, schema_editor):
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

    dependencies = [
        ("labeling", "0005_judgment_events"),
    ]

    operations = [
        migrations.RunPython(rename, migrations.RunPython.noop),
    ]
