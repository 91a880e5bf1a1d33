"""The desk's texts: counts of work, why items come, and the keyboard shortcuts."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.desk.open_campaigns import MOST_COUNTED, OpenCampaign
from labeling.desk.why_this_item import KnownSkill, RaterSkills, SkillBasis
from labeling.desk.work import Tally
from labeling.models import Campaign, Pool, Prompt, Slot

BASIS_LABELS: dict[SkillBasis, str | Promise] = {
    SkillBasis.POOL: gettext_lazy("shared by everyone in the pool"),
    SkillBasis.DECLARED: gettext_lazy("you added it"),
    SkillBasis.TESTED: gettext_lazy("you passed a test"),
    SkillBasis.SHOWN: gettext_lazy("earned by your answers"),
}


def duration_words(seconds: float) -> str:
    """Hours and minutes; "" for less than a minute."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return ""
    if minutes < 60:
        return _("%(m)s min") % {"m": minutes}
    return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}


def tally_words(tally: Tally, nothing: str) -> str:
    if not tally.n_judgments:
        return nothing
    answers = ngettext("%(n)s answer", "%(n)s answers", tally.n_judgments) % {
        "n": tally.n_judgments
    }
    active = duration_words(tally.active_s)
    return (
        _("%(given)s, %(active)s active") % {"given": answers, "active": active}
        if active
        else answers
    )


@dataclass(frozen=True)
class CampaignLine:
    """One campaign on the desk, as text."""

    open: OpenCampaign
    words: str
    why: str
    """why items of this campaign come to this rater"""


def campaign_line(campaign: OpenCampaign, skills: RaterSkills, *, now: dt.datetime) -> CampaignLine:
    kind = str(campaign.campaign.get_kind_display())
    parts = [f"{kind[:1].upper()}{kind[1:]}", _to_do(campaign)]
    if campaign.n_today:
        parts.append(_("%(n)s by you today") % {"n": campaign.n_today})
    return CampaignLine(
        campaign, " · ".join(parts), why_campaign(campaign.campaign, skills, now=now)
    )


def why_campaign(campaign: Campaign, skills: RaterSkills, *, now: dt.datetime) -> str:
    """Why items of this campaign come to a rater."""
    pool = campaign.pool
    sentences = [_("You are in “%(pool)s”.") % {"pool": pool.name}]
    if pool.routes_by_language:
        known = _known(skills.languages(pool, at=now)) or _("none added yet")
        sentences.append(_("Items are assigned by language: %(known)s.") % {"known": known})
    if pool.routes_by_category:
        known = _known(skills.topics(pool, at=now)) or _("none added yet")
        sentences.append(_("Items are assigned by topic: %(known)s.") % {"known": known})
    if campaign.order != Campaign.Order.FINISH_FIRST:
        sentences.append(_("Every item gets one answer before any gets a second."))
    return " ".join(sentences)


def why_item(prompt: Prompt, pool: Pool, skills: RaterSkills, *, at: dt.datetime) -> str:
    """Why this item came; "" when there is nothing to add to the campaign's reason. Golds and
    repeats read like any other item.
    """
    sentences = []
    if known := _known(skills.of_prompt(prompt, pool, at=at)):
        sentences.append(_("Matches your skills: %(known)s.") % {"known": known})
    if prompt.sensitive and skills.accepts.issuperset(prompt.sensitive):
        sentences.append(_("You agreed to see: %(kinds)s.") % {"kinds": prompt.upset_words})
    return " ".join(sentences)


@dataclass(frozen=True)
class MyCampaign:
    """A campaign open to a rater, as My work lists it; `held` is the item they hold."""

    campaign: Campaign
    why: str
    held: Slot | None
    why_held: str


def my_campaigns(
    campaigns: Sequence[Campaign],
    held_slots: Mapping[int, Slot],
    skills: RaterSkills,
    *,
    now: dt.datetime,
) -> list[MyCampaign]:
    lines = []
    for campaign in campaigns:
        held = held_slots.get(campaign.pk)
        why_held = why_item(held.item.prompt, campaign.pool, skills, at=now) if held else ""
        lines.append(MyCampaign(campaign, why_campaign(campaign, skills, now=now), held, why_held))
    return lines


def _known(known: list[KnownSkill]) -> str:
    topics = dict(Prompt.Category.choices)
    return ", ".join(
        f"{topics.get(skill.code, skill.code)} ({BASIS_LABELS[skill.basis]})" for skill in known
    )


def _to_do(campaign: OpenCampaign) -> str:
    n = campaign.n_items
    if n is None:
        return _("more than %(n)s answers wanted") % {
            "n": formats.number_format(MOST_COUNTED, force_grouping=True)
        }
    return ngettext("%(n)s to do", "%(n)s to do", n) % {"n": n} if n else _("nothing to do")


Keys = tuple[tuple[str, str], ...]


def turn_title(number: int) -> str:
    return _("Turn %(n)d: the answers") % {"n": number}


def keys(
    *,
    is_comparison: bool,
    is_dialogue: bool = False,
    is_turn: bool = False,
    has_scale: bool = False,
) -> tuple[tuple[str, Keys], ...]:
    """Every shortcut of the page in groups with a title, for the sheet behind `?`. No command uses
    a letter that a response may have (response_orders.LETTERS).
    """
    item = (
        ("⌘↵ / Ctrl ↵", _("Continue") if has_scale else _("Review; press again to submit")),
        ("s", _("Skip, then 1–4 for the reason")),
        ("q", _("Ask an admin about this item")),
        ("l", _("Guideline")),
        ("p", _("Conversation so far") if is_turn else _("Whole prompt")),
        ("o", _("Ask for other answers")) if is_turn else ("u", _("Undo the last submission")),
    )
    if has_scale:
        return (_("Answers"), _scale_keys()), (_("Item"), item)
    if is_comparison:
        return (
            (_("Responses"), _reading_keys()),
            (_("Rating and ranking"), _rating_keys()),
            (_("Item"), item),
        )
    return (_("Your answer"), _writing_keys(is_dialogue=is_dialogue)), (_("Item"), item)


def _reading_keys() -> Keys:
    return (
        ("a … i", _("Go to response")),
        ("← →", _("Previous / next response")),
        ("↑ ↓", _("Move between text, scales and flags")),
        (_("Space, Page ↓"), _("Scroll the text")),
        ("t", _("Scroll responses together or separately")),
        ("v", _("Switch between text, raw and diff")),
    )


def _rating_keys() -> Keys:
    return (
        ("1 … 9", _("Set rank (same number = tie); on a scale, set the rating")),
        ("0", _("Clear rank or rating")),
        ("alt ↑ alt ↓", _("Move one rank up or down")),
        (_("Space"), _("Set or clear a flag")),
        ("x", _("Mark all as bad and give a reason")),
        ("w", _("Edit the best response")),
        ("r", _("Reason")),
        ("m", _("Strength of preference, then 1–4")),
    )


def _scale_keys() -> Keys:
    return (
        ("1 … 8", _("Choose on the scale")),
        ("← →", _("Move on the scale")),
        ("↵", _("Continue with the choice")),
        ("x", _("Both are bad")),
        ("w", _("Edit an answer")),
        ("a b", _("Go to answer")),
        ("↑ ↓", _("Move between text, scales and flags")),
        ("v", _("Switch between text, raw and diff")),
        ("r", _("Reason")),
    )


def _writing_keys(*, is_dialogue: bool) -> Keys:
    dialogue = (
        ("alt ↵", _("Continue the dialogue as the user")),
        ("alt ⇧ ⌫", _("Remove the last two turns")),
        ("alt ↑ alt ↓", _("Previous / next turn")),
    )
    return (
        ("⌘⇧↵ / Ctrl ⇧ ↵", _("Show or hide the preview")),
        ("w", _("Write")),
        ("f", _("Enter or leave full screen")),
        *(dialogue if is_dialogue else ()),
    )
