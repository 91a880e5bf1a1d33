"""What all kinds of campaign have in common: settings, checks between them, and what each kind
declares about itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Protocol, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_noop as _

from knobs.fields import Knob, Problem, knob, knobs_of
from labeling.kinds.choices import Answer, Budget, Order
from labeling.kinds.units import ANSWERS, Unit

SMALL = 32_767
"""The largest value of a small integer column."""


class Row(Protocol):
    """A campaign as stored: it has every setting as a column."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class CampaignSettings:
    """The settings of a campaign. Each is a column of Campaign; a kind without the setting leaves
    the column at its default.
    """

    do_not_call_in_templates: ClassVar[bool] = True
    kind: ClassVar[str]
    """value of the column"""
    label: ClassVar[str | Promise]
    """what raters do, in words"""
    answer: ClassVar[Answer]
    """what a judgment of it is, which is also what is paid for"""
    unit: ClassVar[Unit] = ANSWERS
    """what its progress counts"""
    usual_overlap: ClassVar[int] = 1
    compares_stored: ClassVar[bool] = False
    """whether its items have responses that are stored beforehand"""
    shares_items: ClassVar[bool] = True
    """whether several raters can answer the same item, so that they can agree"""
    talks: ClassVar[bool] = False
    """whether raters talk with models, so that each turn brings new items"""
    desk: ClassVar[str]
    """template of what a rater reads and fills in"""
    shapes: ClassVar[tuple[str, ...]]
    """shapes of exports offered for it, by their names in labeling.data.exports.shapes"""

    overlap: int = knob(
        1,
        _("overlap"),
        _("Number of answers per item."),
        min=1,
        max=50,
        while_open=True,
        api="Number of answers per item.",
    )
    order: Order = knob(Order.FINISH_FIRST, _("Order"), "")
    lease_minutes: int = knob(
        30,
        _("lease (minutes)"),
        _("How long an inactive rater keeps an item."),
        min=1,
        max=SMALL,
        while_open=True,
        api="How long an inactive rater keeps an item.",
    )
    priority: int = knob(0, _("priority"), "", min=-SMALL, max=SMALL, while_open=True)
    calibration_percent: int = knob(
        0,
        _("Calibration items (%)"),
        _(
            "Every rater in the pool answers these, so any two raters can be compared. 10 to 20 is"
            " usual."
        ),
        min=0,
        max=50,
        api="Percent of items that every rater in the pool answers.",
    )
    review_share: int = knob(
        5,
        _("random review share (%)"),
        _("Share of answers drawn at random for the review queue."),
        min=0,
        max=100,
        while_open=True,
        api="Percent of answers drawn at random for the review queue.",
    )
    shows_thinking: bool = knob(
        False,
        _("raters see the thinking"),
        _("What a model thought before it answered, folded above the answer."),
        while_open=True,
        api="Raters see what a model thought before it answered, folded.",
    )
    budget_unit: Budget = knob(
        Budget.NONE,
        _("budget"),
        "",
        while_open=True,
        api="Empty for no limit.",
    )
    budget: Decimal | None = knob(
        None,
        _("limit"),
        _(
            "When the budget is spent, the campaign pauses and admins are notified. Raters can"
            " still submit items they have open."
        ),
        min=1,
        while_open=True,
        api="When it is spent, the campaign pauses.",
    )

    @classmethod
    def knobs(cls) -> tuple[Knob, ...]:
        return knobs_of(cls)

    @classmethod
    def names(cls, *, while_open: bool = False) -> tuple[str, ...]:
        """Of its settings; `while_open`: of those that may change in an open campaign."""
        return tuple(knob.name for knob in cls.knobs() if knob.while_open or not while_open)

    @classmethod
    def of(cls, row: Row) -> Self:
        """As stored."""
        return cls(**{name: getattr(row, name) for name in cls.names()})

    @classmethod
    def takes(cls, answer: str) -> bool:
        """Whether its items are answered so at the desk. A conversation is answered turn by turn,
        on a page of its own.
        """
        return cls.answer == answer and not cls.talks

    def problems(self) -> Iterator[Problem]:
        """Why nobody could work on such a campaign, although each setting is valid by itself."""
        if bool(self.budget_unit) != (self.budget is not None):
            yield Problem("", _("Enter both an amount and a unit for the budget."))
