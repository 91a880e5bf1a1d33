"""The recipes that a form offers for each kind of snapshot, with the documents that people restored
from them.
"""

from dataclasses import replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.models import RestoredDocument, Snapshot
from training.snapshots.curation import rule_words
from training.snapshots.curation.rules.recipe import PRESETS, Recipe

WORDS: dict[str, Promise] = {
    "light": _("Light: mask personal data and keys, remove near-duplicates"),
    "text": _(
        "Web pages in English: light, and the rules of Gopher, C4 and FineWeb. Not for code or"
        " technical text: they remove pages with code beside prose"
    ),
    "prompt": _("Prompts: light, and remove repetition and advertising"),
    "demonstration": _(
        "Demonstrations: light, and remove repetition, advertising and what assistants say about"
        " themselves"
    ),
    "response": _("Responses: light, and remove repetition and advertising"),
}
OFFERED: dict[str, tuple[str, ...]] = {
    Snapshot.Kind.TEXT: ("light", "text"),
    Snapshot.Kind.PROMPTS: ("prompt",),
    Snapshot.Kind.DEMONSTRATIONS: ("demonstration",),
    Snapshot.Kind.COMPARISONS: ("response",),
    Snapshot.Kind.UNPAIRED: ("response",),
}
"""By kind of snapshot"""
NAMES = tuple(WORDS)


def recipe(*, name: str) -> Recipe:
    """A recipe with what was restored from it so far."""
    restored = RestoredDocument.objects.filter(recipe=name).values_list("document", flat=True)
    return replace(PRESETS[name], restored=tuple(sorted(restored)))


def choices(*, kind: str) -> list[tuple[str, Promise]]:
    return [("", _("None")), *((name, WORDS[name]) for name in OFFERED.get(kind, ()))]


def rules_in_words(*, name: str) -> list[tuple[str, str]]:
    """(rule, its thresholds) in the order in which they are applied; parts that are off are left
    out.
    """
    return [
        (
            rule["rule"],
            rule_words.thresholds_in_words(
                rule["rule"], {name: value for name, value in rule.items() if name != "rule"}
            ),
        )
        for rule in PRESETS[name].as_json()["rules"]
    ]
