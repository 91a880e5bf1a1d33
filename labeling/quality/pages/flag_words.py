"""Why a rater is flagged for review: a label and a sentence, in the reader's language. A report
stores only the kind and its numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pages.numbers import grouped

RARE = 1e-4
"""Smaller probabilities rest on the far tail of a model and are not told apart."""
LABELS = {
    "chance": _("No better than chance"),
    "first": _("Position bias"),
    "last": _("Last position bias"),
    "alternates": _("Positions in turn"),
    "longer": _("Length bias"),
    "copy": _("Ranks like a colleague"),
    "tires": _("Gets tired"),
    "drifts": _("Recent decline"),
    "uneven": _("Uneven sessions"),
    "fast": _("Very fast"),
    "even": _("Times too even"),
    "same": _("Same answer always"),
}
_SENTENCES = {
    "chance": _(
        "Agrees with colleagues %(value)s as much as a typical rater does, over %(n)s answers."
    ),
    "first": _(
        "Puts the first-shown response on top in %(value)s of %(n)s answers; %(usual)s is usual"
        " here."
    ),
    "last": _(
        "Puts the last-shown response on top in %(value)s of %(n)s answers; %(usual)s is usual"
        " here."
    ),
    "alternates": _(
        "The position of the top response moves by the same step in %(value)s of %(n)s answers;"
        " %(usual)s would be expected by chance."
    ),
    "longer": _(
        "Prefers the longer response in %(value)s of pairs, over %(n)s answers; %(usual)s is usual"
        " here."
    ),
    "copy": _(
        "Ranks like %(colleague)s in %(value)s of %(n)s shared items; %(usual)s would be expected"
        " from these two raters' skill. Sometimes one answered first, sometimes the other."
    ),
    "tires": _(
        "After %(minutes)s minutes in one sitting, agrees with colleagues %(value)s as much as a"
        " typical rater, over %(n)s answers; %(usual)s before."
    ),
    "drifts": _(
        "In the last third of the answers (%(n)s), agrees with colleagues %(value)s as much as a"
        " typical rater; %(usual)s before."
    ),
    "uneven": _(
        "In some sessions (%(n)s answers), agrees with colleagues %(value)s as much as a typical"
        " rater; %(usual)s in the others. Several people may share the account."
    ),
    "even": _(
        "Takes about the same time for every answer: times differ by %(value)s (%(n)s answers);"
        " %(usual)s is usual here. A program may be answering."
    ),
    "fast": _(
        "Reads %(pace)s characters a second (median of %(n)s answers); %(usual_pace)s is usual"
        " here, and nobody reads more than %(limit)s."
    ),
    "same": _(
        "Gives “%(question)s” the same answer in %(value)s of %(n)s items; %(usual)s is usual for a"
        " rater's most frequent answer here."
    ),
}
_RATED_ALIKE = _("Rates like a colleague")
_RATED_AT_RANDOM = _("Ratings no better than chance")
_RATES_AT_RANDOM = _(
    "The ratings agree with colleagues' %(value)s as much as a typical rater's do, over %(n)s"
    " answers. The rankings don't look like this."
)
_FIXED_LIMIT = _("This is a fixed limit, not a test against chance.")
_RARELY_BY_LUCK = _("Fewer than 1 in 10,000 honest raters would look like this by luck.")
_BY_LUCK = _("About 1 in %(n)s honest raters would look like this by luck.")
_COPIED_LATER = _(
    "Ranks like %(colleague)s in %(value)s of %(n)s shared items, answering after them;"
    " %(usual)s would be expected from these two raters' skill."
)
_RATED_LATER = _(
    "Answers “%(question)s” like %(colleague)s in %(value)s of %(n)s shared items, after them;"
    " %(usual)s would be the most expected of two raters who use the scale as they do."
)
_RATED_EQUALLY = _(
    "Answers “%(question)s” like %(colleague)s in %(value)s of %(n)s shared items; %(usual)s would"
    " be the most expected of two raters who use the scale as they do. Who was first isn't known."
)


def caution() -> str:
    """What stands beside every flag."""
    return gettext(
        "None of these is a verdict: an unusual task, a first day or a strong preference can look"
        " the same. Read some of the answers below before you talk to the rater."
    )


@dataclass(frozen=True)
class FlagRow:
    """A reason to review a rater's answers; never a verdict."""

    stored: Mapping[str, Any]
    """as labeling.quality.measures.raters stores it"""

    @property
    def kind(self) -> str:
        return str(self.stored["kind"])

    @property
    def label(self) -> Promise:
        if self._is_rated_at_random:
            return _RATED_AT_RANDOM
        return _RATED_ALIKE if self._is_rated_alike else LABELS[self.kind]

    @property
    def sentence(self) -> str:
        """Empty for a report of version 2, which has no numbers; it is soon computed again."""
        if "value" not in self.stored:
            return ""
        is_later = bool(self.stored.get("is_later"))
        if self._is_rated_alike:
            sentence = _RATED_LATER if is_later else _RATED_EQUALLY
        elif self._is_rated_at_random:
            sentence = _RATES_AT_RANDOM
        else:
            sentence = _COPIED_LATER if is_later else _SENTENCES[self.kind]
        return str(sentence) % self._values()

    @property
    def false_alarm(self) -> str:
        """How often an honest rater gets this flag; empty for a report from before version 4."""
        if "by_luck" not in self.stored:
            return ""
        p = self.stored["by_luck"]
        if p is None:
            return str(_FIXED_LIMIT)
        if p < RARE:
            return str(_RARELY_BY_LUCK)
        # Two digits: the probability is not known better than that.
        one_in = float(f"{1 / p:.2g}")
        return str(_BY_LUCK) % {"n": grouped(round(one_in))}

    @property
    def other_id(self) -> int | None:
        """The other rater, for a copy."""
        value: int | None = self.stored["other"]
        return value

    @property
    def row(self) -> str:
        """Names the judgments behind the flag: see selectors.rater_judgments_behind."""
        return f"flag-{self.kind}"

    @property
    def _is_rated_alike(self) -> bool:
        """Whether it is about ratings that equal another rater's, and not rankings."""
        return self.kind == "copy" and "question" in self.stored

    @property
    def _is_rated_at_random(self) -> bool:
        """Whether it is about ratings given beside rankings."""
        return self.kind == "chance" and "is_beside" in self.stored

    def _values(self) -> dict[str, str]:
        value, usual = self.stored["value"], self.stored["usual"]
        return {
            "value": _percent(value),
            "usual": _percent(usual),
            "n": str(self.stored["n"]),
            "colleague": self.stored["colleague"],
            "pace": f"{value:.0f}",
            "usual_pace": f"{usual:.0f}",
            "minutes": f"{self.stored.get('minutes', 0):.0f}",
            "limit": f"{self.stored.get('limit', 0):.0f}",
            "question": str(self.stored.get("question", "")),
        }


def _percent(share: float) -> str:
    return f"{100 * max(share, 0):.0f} %"
