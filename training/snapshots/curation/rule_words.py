"""The rules of recipes in words, as pages show them."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, Promise] = {
    "licence": _("Licence"),
    "length": _("Length"),
    "language": _("Language"),
    "gopher_quality": _("Gopher's quality rules"),
    "c4_quality": _("C4's quality rules"),
    "fineweb_quality": _("FineWeb's quality rules"),
    "repetition": _("Repetition"),
    "blocklist": _("Blocklist"),
    "llm_boilerplate": _("What assistants say about themselves"),
    "personal_data": _("Personal data"),
    "keys": _("Keys and tokens"),
    "decontamination": _("Test item or gold prompt"),
    "exact_duplicate": _("Exact duplicate"),
    "near_duplicate": _("Near-duplicate"),
    "author_cap": _("Too many from one author"),
}

register = template.Library()


@register.filter
def rule_words(rule: str) -> Promise | str:
    """With what a rule of several parts looked at: “Repetition: 5 grams”. A rule that is no longer
    among them keeps its name.
    """
    name, _dot, part = rule.partition(".")
    if not part or name not in WORDS:
        return WORDS.get(rule, rule)
    return f"{WORDS[name]}: {part.replace('_', ' ')}"
