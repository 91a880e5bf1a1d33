"""What a campaign's progress counts, and the words for it."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pages.numbers import grouped


@dataclass(frozen=True)
class Unit:
    """`name` is for an axis. The others are phrases of a number: see `words`."""

    name: Promise
    some: Any
    every: Any
    part: Any
    too_few: Promise
    """of the last 24 hours, for a pace"""
    since_first: Promise

    def words(self, phrase: Any, n: int, *, done: int = 0) -> str:
        """One of `some`, `every` and `part` about `n` of them."""
        return str(phrase % {"count": n, "n": grouped(n), "done": grouped(done)})


ANSWERS = Unit(
    name=_("answers"),
    some=ngettext_lazy("%(n)s answer", "%(n)s answers", "count"),
    every=ngettext_lazy("The only answer", "All %(n)s answers", "count"),
    part=ngettext_lazy("%(done)s of %(n)s answer", "%(done)s of %(n)s answers", "count"),
    too_few=_("Fewer than three answers in the last 24 hours"),
    since_first=_("hours since the first answer"),
)
CONVERSATIONS = Unit(
    name=_("conversations"),
    some=ngettext_lazy("%(n)s conversation", "%(n)s conversations", "count"),
    every=ngettext_lazy("The only conversation", "All %(n)s conversations", "count"),
    part=ngettext_lazy(
        "%(done)s of %(n)s conversation", "%(done)s of %(n)s conversations", "count"
    ),
    too_few=_("Fewer than three conversations in the last 24 hours"),
    since_first=_("hours since the first conversation ended"),
)
