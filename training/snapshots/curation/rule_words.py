"""The rules of recipes in words, as pages show them: their names, values and limits."""

from collections.abc import Callable, Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import get_language_info, gettext, override
from django.utils.translation import gettext_lazy as _

from pages.templatetags.pages import count

Words = str | Promise
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
N, SHARE = "n", "share"
"""What a part of a rule measures: a number, or a share of the text."""
PARTS: Mapping[str, tuple[Words, str]] = {
    "length.min": (_("characters"), N),
    "length.max": (_("characters"), N),
    "gopher_quality.words": (_("words"), N),
    "gopher_quality.mean_word": (_("letters per word"), N),
    "gopher_quality.hashes": (_("hash signs per word"), N),
    "gopher_quality.ellipses": (_("ellipses per word"), N),
    "gopher_quality.bullet_lines": (_("lines of lists"), SHARE),
    "gopher_quality.ellipsis_lines": (_("lines that end in an ellipsis"), SHARE),
    "gopher_quality.alphabetic": (_("words with a letter"), SHARE),
    "gopher_quality.stop_words": (_("commonest English words"), N),
    "c4_quality.lorem_ipsum": (_("placeholder text"), N),
    "c4_quality.braces": (_("curly brackets"), N),
    "c4_quality.sentences": (_("sentences"), N),
    "fineweb_quality.empty": (_("lines"), N),
    "fineweb_quality.ended_lines": (_("lines that end a sentence"), SHARE),
    "fineweb_quality.short_lines": (_("short lines"), SHARE),
    "fineweb_quality.repeated": (_("characters in repeated lines"), SHARE),
    "fineweb_quality.line_breaks": (_("line breaks per word"), N),
    "repetition.lines": (_("repeated lines"), SHARE),
    "repetition.line_characters": (_("characters in repeated lines"), SHARE),
    "repetition.paragraphs": (_("repeated paragraphs"), SHARE),
    "repetition.paragraph_characters": (_("characters in repeated paragraphs"), SHARE),
    **{
        f"repetition.top_{n}_gram": (format_lazy(_("most frequent run of {n} words"), n=n), SHARE)
        for n in (2, 3, 4)
    },
    **{
        f"repetition.{n}_grams": (format_lazy(_("repeated runs of {n} words"), n=n), SHARE)
        for n in range(5, 11)
    },
    "decontamination.verbatim": (_("the same words in a row"), N),
    "decontamination.shared": (_("share of the item in one passage"), SHARE),
}
_UNITS = {"near_duplicate": SHARE}

KEEPS: Mapping[str, Words] = {
    "longest": _("the longest stays"),
    "oldest": _("the oldest stays"),
    "best_licence": _("the one with the freest licence stays"),
}
LISTS: Mapping[str, Words] = {
    "spam-1": _("advertising, version 1"),
    "assistant-1": _("phrases of assistants, version 1"),
}
PERSONAL: Mapping[str, Words] = {
    "email": _("email addresses"),
    "phone": _("telephone numbers"),
    "iban": _("bank accounts"),
    "card": _("card numbers"),
    "ip": _("IP addresses"),
    "national_id": _("national identity numbers"),
}
COUNTRIES: Mapping[str, Words] = {
    "US": _("the United States"),
    "GB": _("the United Kingdom"),
    "DE": _("Germany"),
}

register = template.Library()


def is_rule(rule: str) -> bool:
    """Whether a rule, or this part of one, is among those of today."""
    return rule in WORDS or rule in PARTS


@register.filter
def rule_words(rule: str) -> Words:
    """With what a rule of several parts looked at: “Repetition: repeated lines”. A rule that is no
    longer among them keeps its name.
    """
    name, _dot, part = rule.partition(".")
    if not part or name not in WORDS:
        return WORDS.get(rule, rule)
    measured = PARTS[rule][0] if rule in PARTS else part.replace("_", " ")
    return f"{WORDS[name]}: {measured}"


def in_english(rule: str) -> str:
    """For the audit log."""
    with override("en"):
        return str(rule_words(rule))


@register.simple_tag
def measured_in_words(rule: str, value: float | str, threshold: float | str) -> str:
    """What a rule measured, and the limit that it broke: “31 % (at most 20 %)”."""
    if isinstance(value, str) or isinstance(threshold, str):
        return gettext("%(value)s (only %(limit)s)") % {
            "value": _named(str(value)),
            "limit": ", ".join(_named(part) for part in str(threshold).split(", ")),
        }
    share = PARTS.get(rule, ("", _UNITS.get(rule, N)))[1] == SHARE
    shown = {"value": _number(value, share), "limit": _number(threshold, share)}
    if rule == "exact_duplicate":
        return gettext("identical")
    if rule.startswith("near_duplicate") or rule == "decontamination.verbatim":
        return gettext("%(value)s (from %(limit)s on)") % shown
    if value < threshold:
        return gettext("%(value)s (at least %(limit)s)") % shown
    return gettext("%(value)s (at most %(limit)s)") % shown


def _number(value: Any, is_share: bool) -> str:
    return _percent(value) if is_share else count(value)


def _percent(share: float) -> str:
    """With a decimal where a whole percentage would hide the difference to a limit."""
    return f"{count(round(share * 100, 1)).removesuffix('.0').removesuffix(',0')}\u00a0%"


def _named(code: str) -> str:
    """A language by its name; other values as they are."""
    if code == "none":
        return gettext("none")
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _at_least(words: Words) -> Callable[[Any], str]:
    return lambda value: gettext("at least %(n)s %(what)s") % {"n": count(value), "what": words}


def _at_most(words: Words) -> Callable[[Any], str]:
    return lambda value: gettext("at most %(n)s %(what)s") % {"n": count(value), "what": words}


def _share(is_least: bool, words: Words) -> Callable[[Any], str]:
    text = _("%(what)s: at least %(n)s") if is_least else _("%(what)s: at most %(n)s")
    return lambda value: text % {"n": _percent(value), "what": words}


def _runs(words: Promise) -> Callable[[Any], str]:
    """Pairs of the length of a run and a share."""
    return lambda value: ", ".join(str(words) % {"n": n, "share": _percent(s)} for n, s in value)


def _list(start: Promise, words: Mapping[str, Words]) -> Callable[[Any], str]:
    return lambda value: str(start) % ", ".join(str(words.get(one, one)) for one in value)


def _with(words: Promise) -> Callable[[Any], str]:
    return lambda value: str(words) % value


def _languages(value: Any) -> str:
    return gettext("only %s") % ", ".join(_named(one) for one in value)


_FINDINGS = _at_most(_("findings"))
THRESHOLDS: Mapping[str, Callable[[Any], str]] = {
    "licence.allowed": _list(_("only %s"), {}),
    "length.min_characters": _at_least(_("characters")),
    "length.max_characters": _at_most(_("characters")),
    "language.languages": _languages,
    "language.min_confidence": lambda value: (
        gettext("recognized with a confidence of at least %s") % _percent(value)
    ),
    "language.removes_unknown": lambda _value: gettext("texts in an unknown language are removed"),
    "gopher_quality.min_words": _at_least(_("words")),
    "gopher_quality.max_words": _at_most(_("words")),
    "gopher_quality.min_mean_word": _at_least(_("letters per word")),
    "gopher_quality.max_mean_word": _at_most(_("letters per word")),
    "gopher_quality.max_symbols_per_word": _at_most(_("hash signs or ellipses per word")),
    "gopher_quality.max_bullet_lines": _share(False, _("lines of lists")),
    "gopher_quality.max_ellipsis_lines": _share(False, _("lines that end in an ellipsis")),
    "gopher_quality.min_alphabetic_words": _share(True, _("words with a letter")),
    "gopher_quality.min_stop_words": _at_least(_("of the commonest English words")),
    "c4_quality.min_sentences": _at_least(_("sentences")),
    "c4_quality.min_words_per_line": lambda value: (
        gettext("lines under %s words are not counted") % value
    ),
    "c4_quality.max_word": lambda value: (
        gettext("lines with a word over %s characters are not counted") % count(value)
    ),
    "c4_quality.removes_braces": lambda _value: gettext("no curly brackets"),
    "fineweb_quality.min_ended_lines": _share(True, _("lines that end a sentence")),
    "fineweb_quality.max_short_lines": _share(False, _("short lines")),
    "fineweb_quality.short_line": _with(_("a short line has up to %s characters")),
    "fineweb_quality.max_repeated_characters": _share(False, _("characters in repeated lines")),
    "fineweb_quality.max_lines_per_word": _at_most(_("line breaks per word")),
    "repetition.max_lines": _share(False, _("repeated lines")),
    "repetition.max_paragraphs": _share(False, _("repeated paragraphs")),
    "repetition.max_line_characters": _share(False, _("characters in repeated lines")),
    "repetition.max_paragraph_characters": _share(False, _("characters in repeated paragraphs")),
    "repetition.top_grams": _runs(
        _("the most frequent run of %(n)s words is at most %(share)s of the text")
    ),
    "repetition.repeated_grams": _runs(
        _("repeated runs of %(n)s words are at most %(share)s of the text")
    ),
    "blocklist.lists": _list(_("lists: %s"), LISTS),
    "blocklist.phrases": _list(_("own phrases: %s"), {}),
    "blocklist.most": _at_most(_("phrases")),
    "llm_boilerplate.lists": _list(_("lists: %s"), LISTS),
    "llm_boilerplate.most": _at_most(_("phrases")),
    "personal_data.kinds": _list(_("masks %s"), PERSONAL),
    "personal_data.regions": _list(_("telephone numbers of %s"), COUNTRIES),
    "personal_data.removes": lambda _value: gettext("documents are removed"),
    "personal_data.most": _FINDINGS,
    "keys.removes": lambda _value: gettext("documents are removed"),
    "decontamination.verbatim": _with(_("no %s words in a row of an item")),
    "decontamination.shared": _with(_("compared by runs of %s words")),
    "decontamination.max_share": lambda value: (
        gettext("one passage has at most %s of an item") % _percent(value)
    ),
    "exact_duplicate.keeps": lambda value: str(KEEPS[value]),
    "near_duplicate.threshold": lambda value: gettext("alike from %s on") % _percent(value),
    "near_duplicate.runs_of": lambda value: (
        gettext("compared by runs of words") if value == "words" else gettext("compared by letters")
    ),
    "near_duplicate.run": _with(_("runs of %s")),
    "near_duplicate.keeps": lambda value: str(KEEPS[value]),
    "author_cap.most": _at_most(_("documents")),
    "author_cap.keeps": lambda value: str(KEEPS[value]),
}
"""By rule and threshold: what a value means."""


def thresholds_in_words(rule: str, thresholds: Mapping[str, Any]) -> str:
    """Without the parts that are off."""
    return "; ".join(
        THRESHOLDS[f"{rule}.{name}"](value)
        for name, value in thresholds.items()
        if value not in (None, [], False)
        and not (name == "most" and value == 0 and "removes" in thresholds)
    )
