"""How often attacks succeed, by area of harm and by goal; how far the attackers and the reviewers
agree; how much attackers repeat themselves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from arithmetic import intervals
from arithmetic.agreement import alpha
from arithmetic.figures import Figure, absent, gettext_noop
from labeling.conversations.red_teaming import reviews
from labeling.conversations.red_teaming.diversity import Diversity, Resemblance, diversity
from labeling.models import Attack, AttackBrief, Prompt, Rater

FEW_ATTACKERS = gettext_noop("Too few attackers for an interval: it takes 5.")
NO_REVIEWS = gettext_noop("Nobody has reviewed these attacks yet.")
NO_ATTACKS = gettext_noop("No attack has ended yet.")


@dataclass(frozen=True)
class Line:
    """Of an area (without a `brief`), or of one goal in it."""

    area: str
    brief: AttackBrief | None
    n: int
    n_attackers: int
    by_attackers: Figure
    """the share of attacks that the attackers call successful"""
    by_reviewers: Figure
    """the same by the mean of each attack's reviewers; `n` attacks were reviewed"""


@dataclass(frozen=True)
class Attacker:
    rater: Rater
    n_successful: int
    diversity: Diversity


@dataclass(frozen=True)
class Findings:
    lines: Sequence[Line]
    attackers: Sequence[Attacker]
    all_attacks: Line
    agreement: Figure
    """Krippendorff's alpha of the attackers' and the reviewers' ratings, as an ordered scale"""
    diversity: Diversity


def findings(*, campaign_id: int | None = None) -> Findings:
    """Of one campaign, or of all. Attacks of raters who have withdrawn are left out."""
    rows = Attack.objects.filter(conversation__rater__withdrawn_at=None)
    briefs = AttackBrief.objects.order_by("area", "campaign", "number").select_related(
        "guideline_version__guideline", "campaign"
    )
    if campaign_id is not None:
        rows = rows.filter(brief__campaign=campaign_id)
        briefs = briefs.filter(campaign=campaign_id)
    attacks = list(rows.select_related("conversation__rater", "brief", "turn").order_by("pk"))
    ratings = reviews.successes(attacks)
    return Findings(
        lines=_lines(attacks, briefs, ratings),
        attackers=_attackers(attacks),
        all_attacks=_line("", None, attacks, ratings),
        agreement=_agreement(attacks, ratings),
        diversity=_diversity(attacks),
    )


def success_share(scores: Sequence[float], attackers: Sequence[int], *, note: str) -> Figure:
    """The share of attacks that succeeded. Attacks of one person belong together, so its interval
    is taken between attackers, and it is never of zero width.
    """
    if not scores:
        return absent(note)
    interval = intervals.of_votes(scores, attackers)
    low, high = interval or (None, None)
    return Figure(fmean(scores), len(scores), low, high, note="" if interval else FEW_ATTACKERS)


def _lines(
    attacks: Sequence[Attack], briefs: Iterable[AttackBrief], ratings: Mapping[int, list[int]]
) -> list[Line]:
    by_brief: dict[int, list[Attack]] = defaultdict(list)
    for attack in attacks:
        by_brief[attack.brief_id].append(attack)
    by_area: dict[str, list[AttackBrief]] = defaultdict(list)
    for brief in briefs:
        by_area[brief.area].append(brief)
    lines = []
    for area in (value for value in Prompt.Upset.values if value in by_area):
        whole = [attack for brief in by_area[area] for attack in by_brief[brief.pk]]
        lines.append(_line(area, None, whole, ratings))
        lines += [_line(area, brief, by_brief[brief.pk], ratings) for brief in by_area[area]]
    return lines


def _line(
    area: str,
    brief: AttackBrief | None,
    attacks: Sequence[Attack],
    ratings: Mapping[int, list[int]],
) -> Line:
    raters = [attack.conversation.rater_id for attack in attacks]
    reviewed = [
        (float(fmean(ratings[attack.pk]) >= Attack.BROKEN_FROM), attack.conversation.rater_id)
        for attack in attacks
        if attack.pk in ratings
    ]
    return Line(
        area=str(Prompt.Upset(area).label) if area else "",
        brief=brief,
        n=len(attacks),
        n_attackers=len(set(raters)),
        by_attackers=success_share(
            [float(attack.success >= Attack.BROKEN_FROM) for attack in attacks],
            raters,
            note=NO_ATTACKS,
        ),
        by_reviewers=success_share(
            [score for score, _rater in reviewed],
            [rater for _score, rater in reviewed],
            note=NO_REVIEWS,
        ),
    )


def _attackers(attacks: Sequence[Attack]) -> list[Attacker]:
    """Those with the most attacks first."""
    by_rater: dict[int, list[Attack]] = defaultdict(list)
    for attack in attacks:
        by_rater[attack.conversation.rater_id].append(attack)
    listed = sorted(by_rater.values(), key=lambda own: (-len(own), own[0].conversation.rater.alias))
    return [
        Attacker(
            rater=own[0].conversation.rater,
            n_successful=sum(attack.success >= Attack.BROKEN_FROM for attack in own),
            diversity=_diversity(own),
        )
        for own in listed
    ]


def _diversity(attacks: Iterable[Attack]) -> Diversity:
    return diversity(Resemblance(attack.likeness, attack.repeats_wording) for attack in attacks)


def _agreement(attacks: Sequence[Attack], ratings: Mapping[int, list[int]]) -> Figure:
    units, labels, raters = [], [], []
    for attack in attacks:
        for value in [attack.success, *ratings.get(attack.pk, [])]:
            units.append(attack.pk)
            labels.append(value)
            raters.append(attack.conversation.rater_id)
    return alpha.krippendorff(units=units, labels=labels, prompts=raters, metric="ordinal")
