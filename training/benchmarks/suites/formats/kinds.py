"""The kinds of suites: which fields their items have, which options the suite, and how both are
checked. A new kind is one entry here and one in Suite.Kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from training.benchmarks.scoring import rules
from training.benchmarks.scoring.wording import normalised
from training.benchmarks.suites.formats.problems import ItemLine

AREAS = ("capability", "safety", "over-refusal", "honesty", "reward")
"""The values of Suite.Area, copied because these readers import no models; a test compares them."""
WANTS = ("complies", "refuses")
RULES = (*rules.RULES, "tolerance")
REFUSAL_SCORERS = ("refusal", "refusal_strings")
LM_EVAL = "lm-eval"
_COMMON = frozenset({"id", "category", "cluster", "prompt"})

Content = dict[str, Any]


@dataclass(frozen=True)
class ItemKind:
    """`fields`: what its items have besides id, category, cluster and prompt; None for any.
    `usual_scorer` is taken if suite.yaml names none; "" means that it has to.
    """

    fields: frozenset[str] | None
    content: Callable[[ItemLine], Content]
    usual_scorer: str = ""
    options: frozenset[str] = frozenset()

    def unknown(self, row: Mapping[str, object]) -> list[str]:
        return [] if self.fields is None else sorted(row.keys() - self.fields - _COMMON)


def _choice(line: ItemLine) -> Content:
    choices = _different(line, "choices", least=2)
    return {
        "choices": choices,
        "answer": line.index("answer", line.row.get("answer"), len(choices)),
    }


def _generate(line: ItemLine) -> Content:
    content: Content = {}
    if "follow_ups" in line.row:
        content["follow_ups"] = line.texts("follow_ups", least=1)
    if "wants" in line.row:
        content["wants"] = _wants(line)
    return content | rules_in(line)


def _wants(line: ItemLine) -> str:
    value = line.row["wants"]
    if value in WANTS:
        return str(value)
    line.wrong(_("`wants` must be “complies” or “refuses”."), value)
    return ""


def rules_in(line: ItemLine) -> Content:
    """The rules of an item, or those that hold for all items of a suite."""
    content: Content = {}
    for name in ("expected", "accepts", "rejects"):
        if name in line.row:
            content[name] = line.text_or_texts(name)
    for name in ("number", "tolerance"):
        if name in line.row:
            content[name] = line.number_of(name)
    if "pattern" in line.row and (pattern := line.text("pattern")):
        content["pattern"] = pattern
        if problem := rules.pattern_problem(pattern):
            line.wrong(
                _("`pattern` is not a regular expression that RE2 accepts: %(why)s.")
                % {"why": problem},
                pattern,
            )
    if content.get("tolerance", 0) < 0:
        line.wrong(_("`tolerance` must not be below 0."), content["tolerance"])
    return content


def _pairs(line: ItemLine) -> Content:
    content = {name: line.text(name) for name in ("better", "worse")}
    if content["better"] and content["better"] == content["worse"]:
        line.wrong(_("`better` and `worse` are the same text. Change one or remove this line."))
    return content


def _best_of_k(line: ItemLine) -> Content:
    responses = _different(line, "responses", least=3)
    best = line.row.get("best")
    if not isinstance(best, list) or not best:
        line.wrong(_("`best` must list the places of the best responses, counted from 0."), best)
        return {"responses": responses, "best": []}
    places = [line.index("best", best_one, len(responses)) for best_one in best]
    if None not in places and len(set(places)) == len(responses) > 0:
        line.wrong(_("`best` names every response, so none is worse. Remove one from it."), best)
    return {
        "responses": responses,
        "best": sorted({place for place in places if place is not None}),
    }


def _flip(line: ItemLine) -> Content:
    content: Content = {"accepts": line.texts("accepts", least=1)}
    if "choices" in line.row:
        content["choices"] = _different(line, "choices", least=2)
        right = {normalised(text) for text in content["accepts"]}
        if content["choices"] and not right & set(map(normalised, content["choices"])):
            line.wrong(_("No choice is an accepted answer. Add one to `choices`."))
    return content


def _any(line: ItemLine) -> Content:
    return {"row": dict(line.row)}


def _different(line: ItemLine, name: str, *, least: int) -> list[str]:
    texts = line.texts(name, least=least)
    if len(set(texts)) < len(texts):
        line.wrong(_("`%(name)s` has the same text twice. Remove one.") % {"name": name})
    return texts


KINDS: Mapping[str, ItemKind] = {
    "choice": ItemKind(frozenset({"choices", "answer"}), _choice, "likelihood"),
    "generate": ItemKind(
        frozenset({"follow_ups", "wants", *RULES}), _generate, options=frozenset({"rules", "wants"})
    ),
    "pairs": ItemKind(frozenset({"better", "worse"}), _pairs, "preferred"),
    "best-of-k": ItemKind(frozenset({"responses", "best"}), _best_of_k, "best_of_k"),
    "flip": ItemKind(
        frozenset({"accepts", "choices"}), _flip, "flip", options=frozenset({"challenge"})
    ),
    LM_EVAL: ItemKind(
        None, _any, "lm_eval", options=frozenset({"task", "metric", "chat_template"})
    ),
}


def check_scorer(line: ItemLine, content: Content, scorer: str, options: Mapping[str, Any]) -> None:
    """Notes what the scorer needs and the item lacks."""
    if scorer in REFUSAL_SCORERS and "wants" not in content and "wants" not in options:
        line.wrong(
            _("`wants` is missing: the scorer “%(scorer)s” needs it. Add “complies” or “refuses”.")
            % {"scorer": scorer}
        )
    if scorer == "rule" and not {*content, *options.get("rules", {})} & set(rules.RULES):
        line.wrong(
            _("The item has no rule. Add one of: %(rules)s.") % {"rules": ", ".join(rules.RULES)}
        )
