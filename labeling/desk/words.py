"""What the desk says in words: counts of work, why items come, and the keys of a page."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.desk.why_this_item import Ground, Known, Skills
from labeling.desk.work import MOST_COUNTED, OpenCampaign, Tally
from labeling.models import Campaign, Pool, Prompt, Slot

GROUNDS: dict[Ground, str | Promise] = {
    Ground.POOL: gettext_lazy("shared by everyone in the pool"),
    Ground.DECLARED: gettext_lazy("you added it"),
    Ground.TESTED: gettext_lazy("you passed a test"),
    Ground.SHOWN: gettext_lazy("earned by your answers"),
}


def duration_words(seconds: float) -> str:
    """Hours and minutes; "" below one minute."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return ""
    if minutes < 60:
        return _("%(m)s min") % {"m": minutes}
    return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}


def tally_words(tally: Tally, nothing: str) -> str:
    if not tally.n_judgments:
        return nothing
    given = ngettext("%(n)s answer", "%(n)s answers", tally.n_judgments) % {"n": tally.n_judgments}
    active = duration_words(tally.active_s)
    return (
        _("%(given)s, %(active)s active") % {"given": given, "active": active} if active else given
    )


@dataclass(frozen=True)
class CampaignLine:
    """One campaign on the desk, in words."""

    open: OpenCampaign
    words: str
    why: str
    """by what rule items come to this rater"""


def campaign_line(found: OpenCampaign, skills: Skills, *, now: dt.datetime) -> CampaignLine:
    kind = str(found.campaign.get_kind_display())
    parts = [f"{kind[:1].upper()}{kind[1:]}", _waiting(found.n_free)]
    if found.n_today:
        parts.append(_("%(n)s by you today") % {"n": found.n_today})
    return CampaignLine(found, " · ".join(parts), why_campaign(found.campaign, skills, now=now))


def why_campaign(campaign: Campaign, skills: Skills, *, now: dt.datetime) -> str:
    """By what rule its items come to a rater."""
    pool = campaign.pool
    said = [_("You are in “%(pool)s”.") % {"pool": pool.name}]
    if pool.routes_by_language:
        known = _known(skills.languages(pool, at=now)) or _("none added yet")
        said.append(_("Items are assigned by language: %(known)s.") % {"known": known})
    if pool.routes_by_category:
        known = _known(skills.topics(pool, at=now)) or _("none added yet")
        said.append(_("Items are assigned by topic: %(known)s.") % {"known": known})
    if campaign.order != Campaign.Order.FINISH_FIRST:
        said.append(_("Every item gets one answer before any gets a second."))
    return " ".join(said)


def why_item(prompt: Prompt, pool: Pool, skills: Skills, *, at: dt.datetime) -> str:
    """Why just this one came; "" where there is no more to say than of its campaign. Golds and
    repeats read like any other.
    """
    said = []
    if known := _known(skills.of_prompt(prompt, pool, at=at)):
        said.append(_("Matches your skills: %(known)s.") % {"known": known})
    if prompt.sensitive and skills.accepts.issuperset(prompt.sensitive):
        said.append(_("You agreed to see: %(kinds)s.") % {"kinds": prompt.upset_words})
    return " ".join(said)


@dataclass(frozen=True)
class MyCampaign:
    """A campaign open to a rater, as My work lists it; `held` is the item in their hands."""

    campaign: Campaign
    why: str
    held: Slot | None
    why_held: str


def my_campaigns(
    campaigns: Sequence[Campaign], in_hand: Mapping[int, Slot], skills: Skills, *, now: dt.datetime
) -> list[MyCampaign]:
    lines = []
    for campaign in campaigns:
        held = in_hand.get(campaign.pk)
        why_held = why_item(held.item.prompt, campaign.pool, skills, at=now) if held else ""
        lines.append(MyCampaign(campaign, why_campaign(campaign, skills, now=now), held, why_held))
    return lines


def _known(known: list[Known]) -> str:
    topics = dict(Prompt.Category.choices)
    return ", ".join(
        f"{topics.get(each.code, each.code)} ({GROUNDS[each.ground]})" for each in known
    )


def _waiting(n: int) -> str:
    if n > MOST_COUNTED:
        return _("more than %(n)s to do") % {
            "n": formats.number_format(MOST_COUNTED, force_grouping=True)
        }
    return ngettext("%(n)s to do", "%(n)s to do", n) % {"n": n} if n else _("nothing to do")


def keys(*, is_comparison: bool, is_dialogue: bool = False) -> list[tuple[str, str]]:
    """Every key of the page, for the sheet behind `?`. No command has a letter that a response may
    have (response_orders.LETTERS).
    """
    everywhere = [
        ("⌘↵ / Ctrl ↵", _("Review; press again to submit")),
        ("s", _("Skip, then 1–4 for the reason")),
        ("q", _("Ask an admin about this item")),
        ("l", _("Guideline")),
        ("p", _("Whole prompt")),
        ("u", _("Undo the last submission")),
    ]
    if not is_comparison:
        writing = [
            ("⌘⇧↵ / Ctrl ⇧ ↵", _("Show or hide the preview")),
            ("w", _("Write")),
            ("f", _("Enter or leave full screen")),
        ]
        if is_dialogue:
            writing += [
                ("alt ↵", _("Continue the dialogue as the user")),
                ("alt ⇧ ⌫", _("Remove the last two turns")),
            ]
            writing += [("alt ↑ alt ↓", _("Previous / next turn"))]
        return [*everywhere, *writing]
    comparing = [
        ("a … i", _("Go to response")),
        ("← →", _("Previous / next response")),
        ("↑ ↓", _("Move between text, scales and flags")),
        ("1 … 9", _("Set rank (same number = tie); on a scale, set the rating")),
        ("0", _("Clear rank or rating")),
        ("alt ↑ alt ↓", _("Move one rank up or down")),
        (_("Space"), _("Set or clear a flag")),
        (_("Space, Page ↓"), _("Scroll the text")),
        ("x", _("Mark all as bad and give a reason")),
        ("w", _("Edit the best response")),
        ("r", _("Reason")),
        ("m", _("Strength of preference, then 1–4")),
        ("t", _("Scroll responses together or separately")),
        ("v", _("Switch between text, raw and diff")),
    ]
    return comparing + everywhere
