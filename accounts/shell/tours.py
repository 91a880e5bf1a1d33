"""The tour of each role: five stops on real pages, offered on the first of them until it is ended.

`?tour=rater-2` shows a stop, and only on its own page. Whoever adds a stop chooses a page that
always exists, on an empty site too.
"""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from arithmetic import plain_text

PARAMETER = "tour"


@dataclass(frozen=True)
class Stop:
    url_name: str
    title: Promise
    text: Promise
    outlined: str
    """CSS selector: the first element of the page's main part that it finds is outlined"""


@dataclass(frozen=True)
class Tour:
    role: str
    label: Promise
    stops: tuple[Stop, ...]

    def number(self, written: str) -> int:
        """The number of a stop; 0 if `written` is none."""
        number = plain_text.whole_number(written) or 0
        return number if number <= len(self.stops) else 0

    def stop(self, written: str) -> Stop:
        """The first one, if `written` is no number of a stop."""
        return self.stops[max(self.number(written), 1) - 1]

    def url(self, number: int) -> str:
        """The page of a stop; the first is 1."""
        return f"{reverse(self.stops[number - 1].url_name)}?{PARAMETER}={self.role}-{number}"

    @property
    def first_url(self) -> str:
        return self.url(1)


@dataclass(frozen=True)
class Card:
    """What is shown of a tour: a stop, or without one the offer to begin."""

    tour: Tour
    number: int = 0

    @property
    def stop(self) -> Stop | None:
        return self.tour.stops[self.number - 1] if self.number else None

    @property
    def next_url(self) -> str:
        return self.tour.url(self.number + 1) if self.number < len(self.tour.stops) else ""

    @property
    def back_url(self) -> str:
        return self.tour.url(self.number - 1) if self.number > 1 else ""


TOURS = {
    "rater": Tour(
        "rater",
        _("Rater"),
        (
            Stop(
                "desk",
                _("Your work"),
                _(
                    "The desk lists the campaigns that you can work in, and how much is left for"
                    " you in each. Start gives you one item and reserves it for you."
                ),
                ".desk-campaigns, .empty",
            ),
            Stop(
                "my_guidelines",
                _("How to answer"),
                _(
                    "A guideline says what a good answer is. Read it before your first item. On an"
                    " item, press l to see it beside your work, and ? for all keys."
                ),
                ".desk-campaigns, .empty",
            ),
            Stop(
                "my_work",
                _("What you have done"),
                _(
                    "My work lists your answers. While a campaign is open, you can correct them."
                    " Feedback, quality checks and replies to your questions appear here too."
                ),
                ".desk-asked, .filters, .empty",
            ),
            Stop(
                "my_pay",
                _("What you earn"),
                _(
                    "My pay shows your answers, active time and pay for each day. If something is"
                    " wrong, ask an admin on this page."
                ),
                ".facts, .empty",
            ),
            Stop(
                "my_data",
                _("Your data and settings"),
                _(
                    "Here you can download everything stored about you, or withdraw your answers."
                    " Your skills and content settings are beside it, under My work."
                ),
                ".narrow",
            ),
        ),
    ),
    "admin": Tour(
        "admin",
        _("Admin"),
        (
            Stop(
                "campaigns",
                _("Campaigns"),
                _(
                    "A campaign is a task that you give to a pool of raters. Until the first one"
                    " is open, this page lists the steps to get there."
                ),
                ".first-steps, .card",
            ),
            Stop(
                "campaign_new",
                _("A new campaign"),
                _(
                    "Name it and choose the kind of work, a pool and a guideline; most other"
                    " settings have usual values. It stays a draft until you open it."
                ),
                ".step",
            ),
            Stop(
                "people",
                _("People, pools and pay"),
                _(
                    "Under Raters you find everybody with an account, the roster of raters, the"
                    " pools that campaigns are given to, and what raters have earned."
                ),
                ".tabs",
            ),
            Stop(
                "quality",
                _("Quality"),
                _(
                    "How far raters agree, campaign by campaign. It is computed once comparisons"
                    " have answers; a campaign's own page says more."
                ),
                ".card, .empty",
            ),
            Stop(
                "operations",
                _("Operations"),
                _(
                    "Whether the site works: what is stuck, full or old, and what to do about it."
                    " The page updates itself."
                ),
                ".operations",
            ),
        ),
    ),
    "researcher": Tour(
        "researcher",
        _("Researcher"),
        (
            Stop(
                "lines",
                _("Lines"),
                _(
                    "A line is the sequence of models that one schedule trains. This page says"
                    " whether raters prefer the newest ones, once there are any."
                ),
                ".verdict, .headlines, .card, .empty",
            ),
            Stop(
                "models",
                _("Models"),
                _(
                    "Base models that you register, external models, and all that runs have"
                    " trained. You can talk with them under Try models."
                ),
                ".table-wrap, .empty",
            ),
            Stop(
                "train",
                _("Train on a campaign"),
                _(
                    "The shortest way from raters' answers to a model: choose a campaign, then"
                    " what to train, and start. Schedules repeat it by themselves."
                ),
                ".table-wrap, .empty",
            ),
            Stop(
                "runs",
                _("Runs"),
                _(
                    "All training, sampling and benchmark jobs, with their state. A run's page has"
                    " its curves, what it learned from, and what to do if it failed."
                ),
                "#runs, .empty",
            ),
            Stop(
                "scorecards",
                _("Scorecards"),
                _(
                    "How models score on suites of test items. Select a few models to compare"
                    " them; a benchmark run adds new scores."
                ),
                ".score-grid, .empty",
            ),
        ),
    ),
}


def of(user: User) -> list[Tour]:
    """The tours of a person's roles."""
    return [tour for role, tour in TOURS.items() if role in user.roles]


def card(user: User, *, url_name: str, asked: str) -> Card | None:
    """What the page `url_name` shows of a tour. `asked`: the value of PARAMETER, "" without one."""
    role, _dash, written = asked.partition("-")
    for tour in of(user):
        if role == tour.role and (number := tour.number(written)):
            if tour.stops[number - 1].url_name == url_name:
                return Card(tour, number)
        elif tour.stops[0].url_name == url_name and not user.has_ended_tour(tour.role):
            return Card(tour)
    return None
