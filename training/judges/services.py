"""Judges of a campaign: added, started and stopped by admins. Their verdicts are rows that wait."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit_log
from accounts.models import Notice, User
from accounts.notices import services as notices_services
from accounts.refusals import Refusal
from jobs import guard
from jobs.messages import MODELS
from jobs.models import QUEUED, RUNNING
from jobs.protocol import Kind
from labeling.data import intake
from labeling.models import Campaign, Item
from training.models import Judge, JudgeVersion, TrainedModel, Verdict
from training.verdicts import calibration

MILLION = 1_000_000
MOST_AT_ONCE = 32
"""Requests at once of all judges of the site, in threads beside those that answer raters."""
STRAY_FAILURES = 5
"""Fewer in a row are of single requests; with so many, the server is thought to be away, and gets
one request at a time until it answers.
"""
_ASKED_AGAIN = (Verdict.State.FAILED, Verdict.State.DROPPED)
_BATCH = 1_000


class UnableToJudge(Refusal):
    """The judge cannot do this; the text says what to change."""


VERDICTS = Kind(
    Verdict,
    task="training.judges.tasks.ask",
    limit=None,
    queue=MODELS,
    silent_after=timedelta(minutes=5),
    crashed=gettext_lazy("The worker was lost."),
    n_lost="n_lost",
    max_lost=2,
    every=timedelta(seconds=10),
    threads=MOST_AT_ONCE,
    with_rows=("item__prompt", "version__guideline_version"),
)


@dataclass(frozen=True)
class Terms:
    """What a judge is asked, how, and at what price. Prices are in millionths of the currency's
    unit for a million tokens.
    """

    prompt: str
    output: str
    temperature: float
    max_new_tokens: int
    asks_probabilities: bool
    context_tokens: int
    price_in: int
    price_out: int


def waiting_verdicts(*, now: datetime) -> list[int]:
    """Those to be asked next: of each judge that neither rests nor has stopped, as many as it may
    still ask at once. The lost ones come first, and those whose request failed come last.
    """
    is_live = VERDICTS.is_live(now=now)
    live = Verdict.objects.filter(is_live).values_list("version__judge").annotate(n=Count("pk"))
    n_live: dict[int, int] = dict(live)
    n_free = MOST_AT_ONCE - sum(n_live.values())
    if n_free <= 0:
        return []
    open_ones = Verdict.objects.filter(Q(state__in=(QUEUED, RUNNING)) & ~is_live)
    versions = JudgeVersion.objects.filter(
        Q(judge__rests_until=None) | Q(judge__rests_until__lte=now),
        Exists(open_ones.filter(version=OuterRef("pk"))),
        judge__state=Judge.State.RUNNING,
    ).select_related("judge")
    waiting: list[int] = []
    for version in sorted(versions, key=lambda row: (n_live.get(row.judge_id, 0), row.pk)):
        n = min(most_at_once(judge=version.judge) - n_live.get(version.judge_id, 0), n_free)
        if n <= 0:
            continue
        order = ("-state", "n_failed", "pk")
        rows = open_ones.filter(version=version).order_by(*order).values_list("pk", flat=True)
        waiting += rows[:n]
        n_free -= n
    return waiting


def most_at_once(*, judge: Judge) -> int:
    return 1 if judge.n_failures >= STRAY_FAILURES else judge.parallel


VERDICTS.wakes(waiting_verdicts, every=timedelta(seconds=10))


def add_judge(
    *,
    campaign: Campaign,
    model: TrainedModel,
    terms: Terms,
    money_limit: int,
    currency: str,
    parallel: int = 4,
    answer_within_s: int = 120,
    by: User,
    now: datetime,
) -> Judge:
    """A judge that asks nothing before it is started. Raises UnableToJudge."""
    refuse_other_kinds(campaign=campaign)
    if not hasattr(model, "endpoint"):
        raise UnableToJudge(
            _("“%(model)s” is not behind an endpoint. Register one that serves it first.")
            % {"model": model}
        )
    with transaction.atomic():
        judge = Judge.objects.create(
            rater=intake.add_judge(),
            campaign=campaign,
            model=model,
            money_limit=money_limit,
            currency=currency,
            parallel=parallel,
            answer_within_s=answer_within_s,
            created_by=by,
            created_at=now,
        )
        version = _add_version(judge, terms, by=by, now=now)
        after = asdict(terms) | {
            "model": model.name,
            "money_limit": money_limit,
            "parallel": parallel,
            "answer_within_s": answer_within_s,
        }
        audit_log.record(by, "create", judge, after=after | {"sha256": version.sha256}, now=now)
    return judge


def refuse_other_kinds(*, campaign: Campaign) -> None:
    """Judges compare two responses, and nothing else yet. Raises UnableToJudge."""
    if not campaign.about.compares_stored:
        raise UnableToJudge(
            _("AI judges compare two responses. This campaign asks for something else.")
        )
    if campaign.n_responses != 2:
        words = _("AI judges compare two responses, and an item of this campaign has %(n)s.")
        raise UnableToJudge(words % {"n": campaign.n_responses})
    if campaign.state == Campaign.State.DRAFT:
        raise UnableToJudge(_("Open the campaign first: a draft has no items that stay."))


def start_judge(*, judge: Judge, money_limit: int, by: User, now: datetime) -> None:
    """Asks for everything that is not judged yet, and again for what failed. Raises
    UnableToJudge.
    """
    with transaction.atomic():
        stored = Judge.objects.select_for_update(of=("self",)).select_related("campaign", "rater")
        held = stored.get(pk=judge.pk)
        refuse_other_kinds(campaign=held.campaign)
        if held.rater.withdrawn_at is not None:
            raise UnableToJudge(_("This judge was withdrawn. Undo the withdrawal first."))
        if held.state == Judge.State.RUNNING:
            raise UnableToJudge(_("This judge is running already. Reload the page."))
        version = held.versions.order_by("-number").first()
        assert version is not None
        _queue(version, by=by, now=now)
        before = {"money_limit": held.money_limit}
        Judge.objects.filter(pk=held.pk).update(
            state=Judge.State.RUNNING,
            stop="",
            problem="",
            n_failures=0,
            failing_since=None,
            rests_until=None,
            money_limit=money_limit,
            started_at=now,
        )
        after = {"money_limit": money_limit}
        audit_log.record(by, "start", held, before=before, after=after, now=now)
        transaction.on_commit(partial(_wake, now))
    judge.refresh_from_db()


def stop_judge(*, judge: Judge, by: User, now: datetime) -> None:
    """What is being asked is still stored; nothing more is asked. Raises UnableToJudge."""
    with transaction.atomic():
        running = Judge.objects.filter(pk=judge.pk, state=Judge.State.RUNNING)
        if not guard.update_one(running, state=Judge.State.STOPPED):
            raise UnableToJudge(_("This judge has stopped already. Reload the page."))
        audit_log.record(by, "stop", judge, now=now)
    judge.refresh_from_db()


def stop_by_itself(*, judge: Judge, why: str, problem: str = "", now: datetime) -> None:
    """Once, with a notice to the admins."""
    running = Judge.objects.filter(pk=judge.pk, state=Judge.State.RUNNING)
    if not guard.update_one(running, state=Judge.State.STOPPED, stop=why, problem=problem):
        return
    audit_log.record(None, "stop", judge, after={"stop": why}, now=now)
    about = {"judge": judge, "campaign": judge.campaign}
    notices_services.notify(
        people=User.objects.filter(is_admin=True, is_active=True),
        key=f"judge-stopped:{judge.pk}:{now.isoformat()}",
        kind=Notice.Kind.WARNING,
        words=lambda: (
            _("%(judge)s in “%(campaign)s” has stopped: %(why)s.")
            % {**about, "why": Judge.Stop(why).label}
        ),
        path=reverse("campaign_judges", args=[judge.campaign_id]),
        now=now,
    )


def spent(*, judge: Judge) -> tuple[int, int]:
    """(what it has cost, and the most that the requests under way can), in millionths of
    millionths.
    """
    cost = Judge.objects.values_list("cost", flat=True).get(pk=judge.pk)
    reserved = Verdict.objects.filter(version__judge=judge, reserved__gt=0)
    sums = reserved.aggregate(
        lost=Sum("reserved", filter=~Q(state=RUNNING)),
        under_way=Sum("reserved", filter=Q(state=RUNNING)),
    )
    return cost + int(sums["lost"] or 0), int(sums["under_way"] or 0)


def items_to_judge(*, campaign: Campaign) -> QuerySet[Item]:
    """Pairs that raters may get: no golds, whose order is known, and no repeats, which would be
    asked twice.
    """
    return Item.objects.filter(
        campaign=campaign, held_at=None, repeat_of=None, is_turn=False, gold_use=None
    ).order_by("position")


def _add_version(judge: Judge, terms: Terms, *, by: User, now: datetime) -> JudgeVersion:
    guideline = judge.campaign.guideline_version
    sampling = {
        "temperature": terms.temperature,
        "top_p": 1.0,
        "max_new_tokens": terms.max_new_tokens,
    }
    content = asdict(terms) | {
        "model": judge.model_id,
        "guideline_version": guideline.pk,
        "sampling": sampling,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return JudgeVersion.objects.create(
        judge=judge,
        guideline_version=guideline,
        prompt=terms.prompt,
        output=terms.output,
        sampling=sampling,
        asks_probabilities=terms.asks_probabilities,
        context_tokens=terms.context_tokens,
        price_in=terms.price_in,
        price_out=terms.price_out,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        created_by=by,
        created_at=now,
    )


def _queue(version: JudgeVersion, *, by: User, now: datetime) -> None:
    """Both orders of each item, unless they are there; and again those that failed."""
    items = items_to_judge(campaign=version.judge.campaign)
    again = Verdict.objects.filter(version=version, item__in=items, state__in=_ASKED_AGAIN)
    again.update(state=QUEUED, ended_at=None, n_failed=0, n_lost=0, heartbeat_at=None)
    calibration.draw(version=version, items=items, now=now)
    pks = list(items.values_list("pk", flat=True))
    for start in range(0, len(pks), _BATCH):
        _queue_items(version, pks[start : start + _BATCH], by=by, now=now)


def _queue_items(version: JudgeVersion, items: Collection[int], *, by: User, now: datetime) -> None:
    Verdict.objects.bulk_create(
        (
            Verdict(item_id=item, version=version, order=order, created_by=by, created_at=now)
            for item in items
            for order in Verdict.ORDERS
        ),
        ignore_conflicts=True,
    )


def _wake(now: datetime) -> None:
    """As many as may begin; the others follow one another."""
    for pk in waiting_verdicts(now=now):
        VERDICTS.wake(pk)
