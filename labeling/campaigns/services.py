"""Creates campaigns with their items and slots, changes them, and opens, pauses, closes and reopens
them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from jobs import guard
from knobs.fields import Problem
from labeling.campaigns import conversation_plan
from labeling.campaigns.conversation_plan import Plan
from labeling.campaigns.item_set import BATCH, add_items, add_repeats, batches_of
from labeling.kinds import registry
from labeling.kinds.settings import CampaignSettings
from labeling.models import Campaign, ConversationPlan, Guideline, Item, Pool, Prompt, Slot
from labeling.queue import after_judgment, items, webhook_events
from labeling.queue.spending import budgets, prices


class UnableToCreateCampaign(Refusal):
    """Raised for a campaign that nobody could work on; the text says what is missing."""


class UnableToChangeCampaign(Refusal):
    """Raised for a change after which nobody could finish the campaign; the text says why."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class UnableToOpen(Refusal):
    """Raised for a campaign that would stop immediately; the text says what to change first."""


def create_campaign(
    *,
    name: str,
    pool: Pool,
    guideline: Guideline,
    settings: CampaignSettings,
    prompts: Iterable[Prompt],
    source_ids: Sequence[int] = (),
    response_ids: Collection[int] = (),
    selection: Mapping[str, object] | None = None,
    conversation: Plan | None = None,
    by: User | None,
    now: datetime,
) -> Campaign:
    """Create a draft campaign with an item for each prompt and `overlap` slots per item;
    calibration items get one per rater. Its kind is that of its `settings`.

    `selection` is what the prompts were selected by; it is stored for copies of this campaign.

    A conversation needs its `conversation` plan. Its prompts are openings or topics; models answer
    while a rater talks.

    A comparison takes `n_responses` published responses per prompt, from `source_ids` if any are
    given, evenly over the sources, and only from `response_ids` if any are given; prompts with
    fewer are left out. Raises UnableToCreateCampaign when there would be no item.
    """
    version = guideline.versions.order_by("-number").first()
    if version is None:
        raise UnableToCreateCampaign(_("The guideline has no version yet. Write its text first."))
    if problem := _problem_of(settings, pool=pool, now=now):
        raise UnableToCreateCampaign(problem.sentence_in(_))
    if settings.talks and (sentence := _problem_of_plan(conversation)):
        raise UnableToCreateCampaign(sentence)
    if Campaign.objects.filter(name=name).exists():
        raise UnableToCreateCampaign(
            _("Another campaign already has this name. Choose a different one.")
        )
    with transaction.atomic():
        campaign = Campaign.objects.create(
            name=name,
            kind=settings.kind,
            pool=pool,
            guideline=guideline,
            guideline_version=version,
            selection=dict(selection or {}),
            created_by=by,
            created_at=now,
            **asdict(settings),
        )
        if conversation is not None and settings.talks:
            conversation.store(campaign=campaign)
        n_items = 0
        for batch in batches_of(prompts):
            n_items += add_items(
                campaign=campaign,
                prompts=batch,
                first_position=n_items,
                source_ids=source_ids,
                response_ids=response_ids,
                now=now,
            )
        if n_items == 0:
            raise UnableToCreateCampaign(_nothing_to_do(campaign))
        add_repeats(campaign=campaign, first_position=n_items, now=now)
        items.level_calibration(campaign=campaign, now=now)
        audit_log.record(by, "create", campaign, after={"name": name, "n_items": n_items}, now=now)
    return campaign


def open_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Let the pool work on the campaign. False when it is open or closed already. Raises
    UnableToOpen when its budget is spent.
    """
    _refuse_spent(campaign=campaign, now=now)
    with transaction.atomic():
        if campaign.opened_at is None:
            items.level_calibration(campaign=campaign, now=now)
        is_moved = _change_state(
            campaign,
            Campaign.State.OPEN,
            (Campaign.State.DRAFT, Campaign.State.PAUSED),
            by=by,
            now=now,
        )
        if is_moved:
            Campaign.objects.filter(pk=campaign.pk, opened_at=None).update(opened_at=now)
    campaign.refresh_from_db(fields=["state", "opened_at"])
    return is_moved


def pause_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Stop handing out items for now. Items that raters hold can still be submitted. False unless
    it is open.
    """
    with transaction.atomic():
        is_moved = _change_state(
            campaign, Campaign.State.PAUSED, (Campaign.State.OPEN,), by=by, now=now
        )
    campaign.refresh_from_db(fields=["state"])
    return is_moved


def close_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Stop handing out items for good. Items that raters hold can still be submitted. False when it
    is closed already.
    """
    live = (Campaign.State.DRAFT, Campaign.State.OPEN, Campaign.State.PAUSED)
    with transaction.atomic():
        is_moved = _change_state(campaign, Campaign.State.CLOSED, live, by=by, now=now)
        if is_moved:
            Campaign.objects.filter(pk=campaign.pk).update(closed_at=now)
    campaign.refresh_from_db(fields=["state", "closed_at"])
    return is_moved


def reopen_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Hand out the remaining items of a closed campaign again, with the newest version of its
    guideline. False unless it is closed.

    Raises UnableToOpen when its budget is spent, and for a campaign of imported answers.
    """
    if campaign.import_batch_id is not None:
        raise UnableToOpen(
            _("This campaign holds imported answers, so there is nothing to hand out.")
        )
    _refuse_spent(campaign=campaign, now=now)
    with transaction.atomic():
        is_moved = _change_state(
            campaign, Campaign.State.OPEN, (Campaign.State.CLOSED,), by=by, now=now
        )
        if is_moved:
            newest = campaign.guideline.versions.order_by("-number").first()
            Campaign.objects.filter(pk=campaign.pk).update(closed_at=None, guideline_version=newest)
            Campaign.objects.filter(pk=campaign.pk, opened_at=None).update(opened_at=now)
            campaign.refresh_from_db()
            items.level_calibration(campaign=campaign, now=now)
    return is_moved


def discard_campaign(*, campaign: Campaign, by: User | None, now: datetime) -> bool:
    """Delete a draft, which releases its prompts for other campaigns. False if it was ever opened,
    because somebody may have worked on it.

    Raises UnableToChangeCampaign if a chain of runs uses it.
    """
    with transaction.atomic():
        stored = (
            Campaign.objects.select_for_update()
            .filter(pk=campaign.pk, state=Campaign.State.DRAFT, opened_at=None)
            .first()
        )
        if stored is None:
            return False
        before = {"name": stored.name, "n_items": stored.items.count()}
        audit_log.record(by, "discard", stored, before=before, now=now)
        try:
            stored.delete()
        except ProtectedError as problem:
            raise UnableToChangeCampaign(
                _(
                    "A chain of runs created this campaign and refers to it, so it can't be"
                    " discarded."
                )
            ) from problem
    return True


CHANGEABLE = ("guideline", *registry.setting_names(while_open=True))
"""What may change while a campaign is running. Items that raters hold keep the version they were
shown under. Existing judgments stay as they are; each names the version it was given under.
"""


def change_campaign(
    *,
    campaign: Campaign,
    values: Mapping[str, object],
    plan: Mapping[str, object] | None = None,
    by: User | None,
    now: datetime,
) -> bool:
    """Change some of CHANGEABLE that its kind has; False when nothing is different. `plan` changes
    a conversation campaign's conversation_plan.CHANGEABLE. Raises UnableToChangeCampaign.

    A higher overlap adds slots to every item, a lower one deletes free slots. A different guideline
    takes effect with its newest version.
    """
    assert set(values) <= {"guideline", *campaign.about.names(while_open=True)}
    with transaction.atomic():
        stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
        before = {name: getattr(stored, name) for name in values}
        changed = {name: value for name, value in values.items() if value != before[name]}
        plan_before, plan_after = _plan_changes(stored, plan or {})
        if not changed and not plan_after:
            return False
        if stored.state == Campaign.State.CLOSED:
            raise UnableToChangeCampaign(_("A closed campaign can't be changed. Reopen it first."))
        if plan_after:
            ConversationPlan.objects.filter(campaign=stored).update(**plan_after)
        for name, value in changed.items():
            setattr(stored, name, value)
        _check_change(stored, changed, now=now)
        stored.save(
            update_fields=[*changed, *(["guideline_version"] if "guideline" in changed else [])]
        )
        if "overlap" in changed:
            items.adjust_to_overlap(campaign=stored)
        if stored.max_overlap and changed.keys() & {"max_overlap", "confidence", "overlap"}:
            _adjust_all_slots(campaign=stored, now=now)
        if changed.keys() & {
            "budget_unit",
            "budget",
            "lease_minutes",
        }:  # a lease limits the seconds of unmeasured work
            after_judgment.recount_spending(campaign=stored, now=now)
        audit_log.record(
            by,
            "change",
            stored,
            before={name: _as_json(before[name]) for name in changed} | plan_before,
            after={name: _as_json(value) for name, value in changed.items()} | plan_after,
            now=now,
        )
    campaign.refresh_from_db()
    return True


def _plan_changes(
    campaign: Campaign, values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """What changes in the plan of a conversation campaign: before and after."""
    if not values:
        return {}, {}
    plan = campaign.conversation_plan
    try:
        after = conversation_plan.changed(plan, values=values)
    except ValueError as problem:
        raise UnableToChangeCampaign(str(problem)) from problem
    return {name: getattr(plan, name) for name in after}, after


def _check_change(campaign: Campaign, changed: Mapping[str, object], *, now: datetime) -> None:
    if "guideline" in changed:
        newest = campaign.guideline.versions.order_by("-number").first()
        if newest is None:
            raise UnableToChangeCampaign(
                _("The guideline has no version yet. Write its text first."), field="guideline"
            )
        campaign.guideline_version = newest
    settings = campaign.about.of(campaign)
    if problem := _problem_of(settings, pool=campaign.pool, now=now):
        raise UnableToChangeCampaign(problem.sentence_in(_), field=problem.field)


def _adjust_all_slots(*, campaign: Campaign, now: datetime) -> None:
    """Check fully judged items against the new settings: they may need another judgment."""
    waiting = Slot.objects.filter(campaign=campaign, is_gold=False).exclude(
        state=Slot.State.SUBMITTED
    )
    plain = Item.objects.filter(
        campaign=campaign, is_calibration=False, repeat_of=None, held_at=None
    )
    judged = plain.filter(slots__state=Slot.State.SUBMITTED).exclude(pk__in=waiting.values("item"))
    for item_id in (
        judged.distinct().order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH)
    ):
        after_judgment.adjust_slots(item_id=item_id, campaign=campaign, now=now)


def _as_json(value: object) -> object:
    return str(value) if isinstance(value, (Decimal, Guideline)) else value


def _problem_of(settings: CampaignSettings, *, pool: Pool, now: datetime) -> Problem | None:
    """The first reason why nobody could work on such a campaign."""
    for problem in settings.problems():
        return problem
    is_money = settings.budget_unit == Campaign.Budget.MONEY
    if is_money and prices.rate_of(pool=pool, kind=settings.answer, now=now) is None:
        return Problem(
            "",
            gettext_noop(
                "The pool has no rate for this kind of work. Set one first, or budget answers or"
                " hours."
            ),
        )
    return None


def _problem_of_plan(plan: Plan | None) -> str:
    if plan is None:
        return _("Choose the models to talk with, and how many turns.")
    return plan.problem()


def _refuse_spent(*, campaign: Campaign, now: datetime) -> None:
    if budgets.is_spent(campaign=Campaign.objects.get(pk=campaign.pk), now=now):
        raise UnableToOpen(
            _("The budget is spent. Raise it under Setup, then resume the campaign.")
        )


def _change_state(
    campaign: Campaign, to: Campaign.State, start: Sequence[str], *, by: User | None, now: datetime
) -> bool:
    before = campaign.state
    if not guard.update_one(Campaign.objects.filter(pk=campaign.pk, state__in=start), state=to):
        return False
    audit_log.record(
        by, f"state:{to}", campaign, before={"state": before}, after={"state": to}, now=now
    )
    webhook_events.queue_campaign_event(campaign=campaign, state=to, before=before, now=now)
    return True


def _nothing_to_do(campaign: Campaign) -> str:
    if not campaign.about.compares_stored:
        return _("Choose at least one prompt.")
    sentence = _("No prompt has %(n)d responses to compare. Sample more, or compare fewer.")
    return sentence % {"n": campaign.n_responses}
