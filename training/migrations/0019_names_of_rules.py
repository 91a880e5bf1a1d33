from typing import Any

from django.db import migrations

WORDS = {
    "length": "Length",
    "language": "Language",
    "gopher_quality": "Gopher's quality rules",
    "c4_quality": "C4's quality rules",
    "fineweb_quality": "FineWeb's quality rules",
    "repetition": "Repetition",
    "blocklist": "Blocklist",
    "llm_boilerplate": "What assistants say about themselves",
    "personal_data": "Personal data",
    "keys": "Keys and tokens",
    "length.min": "Length: characters",
    "length.max": "Length: characters",
    "gopher_quality.words": "Gopher's quality rules: words",
    "gopher_quality.mean_word": "Gopher's quality rules: letters per word",
    "gopher_quality.hashes": "Gopher's quality rules: hash signs per word",
    "gopher_quality.ellipses": "Gopher's quality rules: ellipses per word",
    "gopher_quality.bullet_lines": "Gopher's quality rules: lines of lists",
    "gopher_quality.ellipsis_lines": "Gopher's quality rules: lines that end in an ellipsis",
    "gopher_quality.alphabetic": "Gopher's quality rules: words with a letter",
    "gopher_quality.stop_words": "Gopher's quality rules: commonest English words",
    "c4_quality.lorem_ipsum": "C4's quality rules: placeholder text",
    "c4_quality.braces": "C4's quality rules: curly brackets",
    "c4_quality.sentences": "C4's quality rules: sentences",
    "fineweb_quality.empty": "FineWeb's quality rules: lines",
    "fineweb_quality.ended_lines": "FineWeb's quality rules: lines that end a sentence",
    "fineweb_quality.short_lines": "FineWeb's quality rules: short lines",
    "fineweb_quality.repeated": "FineWeb's quality rules: characters in repeated lines",
    "fineweb_quality.line_breaks": "FineWeb's quality rules: line breaks per word",
    "repetition.lines": "Repetition: repeated lines",
    "repetition.line_characters": "Repetition: characters in repeated lines",
    "repetition.paragraphs": "Repetition: repeated paragraphs",
    "repetition.paragraph_characters": "Repetition: characters in repeated paragraphs",
    "repetition.top_2_gram": "Repetition: most frequent run of 2 words",
    "repetition.top_3_gram": "Repetition: most frequent run of 3 words",
    "repetition.top_4_gram": "Repetition: most frequent run of 4 words",
    "repetition.5_grams": "Repetition: repeated runs of 5 words",
    "repetition.6_grams": "Repetition: repeated runs of 6 words",
    "repetition.7_grams": "Repetition: repeated runs of 7 words",
    "repetition.8_grams": "Repetition: repeated runs of 8 words",
    "repetition.9_grams": "Repetition: repeated runs of 9 words",
    "repetition.10_grams": "Repetition: repeated runs of 10 words",
}
"""The rules that raters could judge."""


def name_by_words(apps: Any, schema_editor: Any) -> None:
    """Campaigns in which raters judge a rule had its key in their name, and the number of the
    curation.
    """
    Campaign = apps.get_model("labeling", "Campaign")
    RuleSample = apps.get_model("training", "RuleSample")
    samples = RuleSample.objects.filter(rule__in=WORDS).select_related("campaign")
    for sample in samples.order_by("pk"):
        before, key, _number = sample.campaign.name.rpartition(f" · {sample.rule} · ")
        if not key:  # a person has named it
            continue
        about = f" · {WORDS[sample.rule]}"
        name = before[: 140 - len(about)] + about
        if Campaign.objects.filter(name=name).exists():
            name = f"{name} ({sample.campaign_id})"
        Campaign.objects.filter(pk=sample.campaign_id).update(name=name)


class Migration(migrations.Migration):

    dependencies = [
        ('labeling', '0021_rater_kind'),
        ('training', '0018_judges'),
    ]

    operations = [
        migrations.RunPython(name_by_words, migrations.RunPython.noop),
    ]
