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
    Ground.POOL: gettext_lazy("everybody in the pool knows it"),
    Ground.DECLARED: gettext_lazy("you said so"),
    Ground.TESTED: gettext_lazy("you passed a test"),
    Ground.SHOWN: gettext_lazy("your answers showed it"),
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
    given = ngettext("%(n)s judgment", "%(n)s judgments", tally.n_judgments) % {
        "n": tally.n_judgments
    }
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
        known = _known(skills.languages(pool, at=now)) or _("none that you have named")
        said.append(_("Items come by language: %(known)s.") % {"known": known})
    if pool.routes_by_category:
        known = _known(skills.topics(pool, at=now)) or _("none that you have named")
        said.append(_("Items come by field: %(known)s.") % {"known": known})
    if campaign.order == Campaign.Order.FINISH_FIRST:
        said.append(_("The one nearest to its last judgment comes first."))
    else:
        said.append(_("Every one is judged once before any is judged twice."))
    return " ".join(said)


def why_item(prompt: Prompt, pool: Pool, skills: Skills, *, at: dt.datetime) -> str:
    """Why just this one came; "" where there is no more to say than of its campaign. Golds and
    repeats read like any other.
    """
    said = []
    if known := _known(skills.of_prompt(prompt, pool, at=at)):
        said.append(_("By what you know: %(known)s.") % {"known": known})
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
        return _("more than %(n)s judgments wait") % {
            "n": formats.number_format(MOST_COUNTED, force_grouping=True)
        }
    return (
        ngettext("%(n)s judgment waits", "%(n)s judgments wait", n) % {"n": n}
        if n
        else _("no judgment waits")
    )


def keys(*, is_comparison: bool, is_dialogue: bool = False) -> list[tuple[str, str]]:
    """Every key of the page, for the sheet behind `?`. No command has a letter that a response may
    have (response_orders.LETTERS).
    """
    everywhere = [
        ("⌘↵ / Ctrl ↵", _("review, and once more to submit")),
        ("s", _("skip, then 1 to 4 for the reason")),
        ("q", _("ask an admin about this item")),
        ("l", _("guideline")),
        ("p", _("whole prompt")),
        ("u", _("undo the answer just submitted")),
    ]
    if not is_comparison:
        writing = [
            ("⌘⇧↵ / Ctrl ⇧ ↵", _("preview, and back")),
            ("w", _("write")),
            ("f", _("full screen, and back")),
        ]
        if is_dialogue:
            writing += [
                ("alt ↵", _("go on: what the user says next")),
                ("alt ⇧ ⌫", _("remove the last two turns")),
            ]
            writing += [("alt ↑ alt ↓", _("the turn before, the turn after"))]
        return [*everywhere, *writing]
    comparing = [
        ("a … i", _("to the response of that letter")),
        ("← →", _("the response before, the response after")),
        ("↑ ↓", _("in a response: its text, its scales, its flags")),
        ("1 … 9", _("on a text: its rank, the same digit twice ties; on a scale: the answer")),
        ("0", _("on a text: no rank; on a scale: no answer")),
        ("alt ↑ alt ↓", _("one rank up, one rank down")),
        (_("space"), _("tick or untick a flag")),
        (_("space, page ↓"), _("scroll a text")),
        ("x", _("all bad, and say why")),
        ("w", _("write a better one, from the best response")),
        ("r", _("reason")),
        ("m", _("how much better, then 1 to 4")),
        ("t", _("scroll the responses together, or each by itself")),
        ("v", _("the response as read, raw, or by difference")),
    ]
    return comparing + everywhere
