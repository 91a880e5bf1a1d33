"""Whom a trusted judge's verdicts spare work: raters get no pair whose verdict stands, and every
other pair as before. They are told nothing of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from labeling.data import intake
from labeling.models import Campaign, Item
from training.judges import selectors, services
from training.judges.services import UnableToJudge
from training.models import CalibrationPair, Judge, TrustRule, Verdict
from training.verdicts import standing

CALIBRATION = "calibration"
AUDIT = "audit"
UNDECIDED = "undecided"
TIE = "tie"
WITHOUT = "without"
BELOW = "below"
ANSWERED = "answered"
NOT_ASKED = "not asked"
STANDS = "stands"


@dataclass(frozen=True)
class Division:
    """A campaign's pairs: those that raters are spared, and for each reason those that they get."""

    n_pairs: int
    n_spared: int
    """whichever judge of the campaign spares them"""
    n_standing: int
    """of this judge"""
    of_people: Counter[str]
    """reason → pairs that people get because of it"""


def switch(*, judge: Judge, is_on: bool, by: User, now: datetime) -> None:
    """Raters notice within a minute, when the beat comes round. Raises UnableToJudge."""
    with transaction.atomic():
        Judge.objects.select_for_update(no_key=True).get(pk=judge.pk)
        version = selectors.version_of(judge=judge)
        rule = TrustRule.objects.filter(version=version).first()
        if is_on and not (rule and is_possible(rule=rule)):
            raise UnableToJudge(_("It is trusted with nothing, so nothing can be spared."))
        changed = TrustRule.objects.filter(version=version, spares_people=not is_on)
        if not changed.update(spares_people=is_on, changed_by=by, changed_at=now):
            raise UnableToJudge(_("This was changed meanwhile. Reload the page."))
        audit_log.record(by, "trust", judge, after={"spares_people": is_on}, now=now)


def is_possible(*, rule: TrustRule) -> bool:
    """Whether verdicts of a part can stand."""
    return standing.is_in_force(rule=rule) and bool(standing.granted_of(rule=rule))


def advance(*, now: datetime) -> None:
    """In every campaign, exactly the pairs are spared that a verdict stands for. Safe to run twice,
    and at once.
    """
    judged = TrustRule.objects.filter(spares_people=True).values("version__judge__campaign")
    spared = Item.objects.filter(spared_at__isnull=False).values("campaign")
    campaigns = Campaign.objects.filter(Q(pk__in=judged) | Q(pk__in=spared))
    for campaign in campaigns.exclude(state=Campaign.State.CLOSED).order_by("pk"):
        with transaction.atomic():
            rules = TrustRule.objects.filter(version__judge__campaign=campaign).order_by("pk")
            locked = list(rules.select_for_update(no_key=True, of=("self",)))
            intake.spare_only(campaign=campaign, item_ids=_spared(campaign, locked), now=now)


def _spared(campaign: Campaign, rules: Sequence[TrustRule]) -> set[int]:
    """Pairs with a verdict that stands, and that no judge of the campaign is checked on."""
    judges = Judge.objects.filter(versions__trust_rule__in=[r for r in rules if r.spares_people])
    trusted = {
        pair.item
        for judge in judges.select_related("rater").distinct()
        for pair, _look in standing.trusted_verdicts(judge=judge)
    }
    if not trusted:
        return trusted
    drawn = CalibrationPair.objects.filter(
        version__judge__campaign=campaign, version__judge__rater__withdrawn_at=None
    )
    checked = set(drawn.values_list("item", flat=True))
    versions = [rule.version for rule in rules if rule.is_on]
    return {
        item
        for item in trusted - checked
        if not any(standing.is_audit(version, item) for version in versions)
    }


def division(*, rule: TrustRule) -> Division:
    """Where the pairs go that raters can get, by what the judge says of them."""
    version = rule.version
    rows = services.items_to_judge(campaign=version.judge.campaign)
    items = list(rows.values_list("pk", flat=True))
    drawn = set(CalibrationPair.objects.filter(version=version).values_list("item", flat=True))
    asked = Verdict.objects.filter(version=version).values("item")
    states = {
        row["item"]: row
        for row in asked.annotate(
            n_answered=Count("pk", filter=Q(state=Verdict.State.ANSWERED)),
            n_open=Count("pk", filter=Q(state__in=selectors.OPEN)),
            n_ties=Count("pk", filter=Q(label=Verdict.Label.TIE)),
            n_stored=Count("judgment"),
        )
    }
    confident = {pair.item: pair for pair, _look in standing.confident_verdicts(rule=rule)}

    def reason(item: int) -> str:
        state = states.get(item)
        if item in drawn:
            return CALIBRATION
        if state is None or state["n_open"]:
            return NOT_ASKED
        if state["n_answered"] < len(Verdict.ORDERS):
            return WITHOUT
        if not state["n_stored"]:
            return UNDECIDED
        if state["n_ties"]:
            return TIE
        if item not in confident:
            return BELOW
        if standing.is_audit(version, item):
            return AUDIT
        return STANDS if confident[item].at is None else ANSWERED

    found = Counter(reason(item) for item in items)
    return Division(
        n_pairs=len(items),
        n_spared=rows.filter(spared_at__isnull=False).count(),
        n_standing=found.pop(STANDS, 0),
        of_people=found,
    )
