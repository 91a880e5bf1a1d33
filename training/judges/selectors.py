"""What judges have done: how far they are, what it cost, and how far they agree with people."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q, QuerySet

from arithmetic import clustering
from arithmetic.agreement import pairs as agreement_pairs
from arithmetic.figures import Figure, absent, gettext_noop
from labeling.models import Campaign, Item, Judgment, RankedResponse
from labeling.votes import counting
from training.judges import questions, services
from training.models import Judge, JudgeVersion, TrainedModel, Verdict

FEWEST_VOTES = 30
"""With fewer votes of people on the same pairs, nothing is said about agreement."""
N_MEASURED = 100
"""items whose texts are read for an estimate"""
TOO_FEW_VOTES = gettext_noop("Fewer than 30 votes on the same pairs: too few to tell.")
OPEN = (Verdict.State.QUEUED, Verdict.State.RUNNING)
ENDED_WITHOUT = (
    Verdict.State.REFUSED,
    Verdict.State.UNREADABLE,
    Verdict.State.TOO_LONG,
    Verdict.State.DROPPED,
    Verdict.State.FAILED,
)


@dataclass(frozen=True)
class Progress:
    """Of pairs, each asked in two orders. `cost` is in millionths of millionths."""

    n_pairs: int
    n_judged: int
    """both orders are answered"""
    n_undecided: int
    """of these, with another choice in each order"""
    n_without: int
    """an order has ended without an answer that can be read"""
    n_waiting: int
    """an order is still to be answered"""
    cost: int
    has_estimates: bool
    without: list[tuple[str, str, int]]
    """(state, reason, requests) of those that ended without an answer"""


@dataclass(frozen=True)
class Agreement:
    """On pairs where the judge and the people decided; ties and undecided pairs are left out."""

    with_people: Figure
    among_people: Figure


@dataclass(frozen=True)
class Estimate:
    n_pairs: int
    tokens: int
    """of a request, about, with the longest answer"""
    price: int
    """of all of them"""


def judges_of(*, campaign: Campaign) -> QuerySet[Judge]:
    rows = Judge.objects.filter(campaign=campaign).select_related("rater", "model", "campaign")
    return rows.order_by("pk")


def models_to_ask() -> QuerySet[TrainedModel]:
    """Language models behind endpoints, which are in use."""
    served = TrainedModel.objects.filter(kind=TrainedModel.Kind.POLICY, endpoint__isnull=False)
    return served.exclude(stage=TrainedModel.Stage.RETIRED).order_by("name")


def version_of(*, judge: Judge) -> JudgeVersion:
    versions = JudgeVersion.objects.select_related("guideline_version__guideline")
    last: JudgeVersion = versions.filter(judge=judge).order_by("-number")[0]
    return last


def progress(*, judge: Judge) -> Progress:
    verdicts = Verdict.objects.filter(version__judge=judge)
    pairs = verdicts.values("item", "version").annotate(
        n_answered=Count("pk", filter=Q(state=Verdict.State.ANSWERED)),
        n_without=Count("pk", filter=Q(state__in=ENDED_WITHOUT)),
        n_open=Count("pk", filter=Q(state__in=OPEN)),
        stored=Max("judgment"),
    )
    both = Q(n_answered=len(Verdict.ORDERS))
    counts = pairs.aggregate(
        n_pairs=Count("item"),
        n_judged=Count("item", filter=both),
        n_undecided=Count("item", filter=both & Q(stored=None)),
        n_bad=Count("item", filter=Q(n_without__gt=0)),
        n_waiting=Count("item", filter=Q(n_open__gt=0)),
    )
    ended = verdicts.filter(state__in=ENDED_WITHOUT).values_list("state", "reason")
    spent, _under_way = services.spent(judge=judge)
    return Progress(
        n_pairs=counts["n_pairs"],
        n_judged=counts["n_judged"],
        n_undecided=counts["n_undecided"],
        n_without=counts["n_bad"],
        n_waiting=counts["n_waiting"],
        cost=spent,
        has_estimates=verdicts.filter(tokens_estimated=True).exists(),
        without=[(*key, n) for key, n in sorted(Counter(ended).items())],
    )


def is_up_to_date(*, judge: Judge) -> bool:
    """Whether it is running and has nothing to ask: it was asked about every pair of the campaign,
    and no request is open.
    """
    if judge.state != Judge.State.RUNNING:
        return False
    asked = Verdict.objects.filter(version=version_of(judge=judge))
    items = services.items_to_judge(campaign=judge.campaign)
    has_more = items.exclude(pk__in=asked.values("item")).exists()
    return not has_more and not asked.filter(state__in=OPEN).exists()


def estimate(*, judge: Judge) -> Estimate:
    """What is left to ask, from the lengths of some of its items."""
    version = version_of(judge=judge)
    done = Verdict.objects.filter(version=version).exclude(
        state__in=(Verdict.State.QUEUED, Verdict.State.FAILED, Verdict.State.DROPPED)
    )
    items = services.items_to_judge(campaign=judge.campaign)
    answered = done.values("item").annotate(n=Count("pk")).filter(n=len(Verdict.ORDERS))
    left = items.exclude(pk__in=answered.values("item"))
    n_pairs = left.count()
    if not n_pairs:
        return Estimate(0, 0, 0)
    step = max(1, n_pairs // N_MEASURED)
    pks = list(left.values_list("pk", flat=True))[::step][:N_MEASURED]
    measured = Item.objects.filter(pk__in=pks).select_related("prompt")
    counts = [_tokens(version, item) for item in measured.prefetch_related("responses")]
    tokens_in = round(sum(counts) / len(counts))
    most_out = int(version.sampling["max_new_tokens"])
    price = questions.price_of(version, tokens_in=tokens_in, tokens_out=most_out)
    return Estimate(n_pairs, tokens_in + most_out, len(Verdict.ORDERS) * n_pairs * price)


def _tokens(version: JudgeVersion, item: Item) -> int:
    responses = sorted(item.responses.all(), key=lambda response: response.pk)
    if len(responses) != len(Verdict.ORDERS):
        return 0
    return questions.estimated_tokens(questions.messages(version, item.prompt, responses))


def agreement(*, judge: Judge) -> Agreement:
    """With single votes of people, never with their majority, and people's with each other on the
    same pairs. The interval of the judge is about raters like these, that of people about these.
    """
    path = "comparison__judgment__"
    own = RankedResponse.objects.filter(
        Judgment.of_everyone.condition(path), comparison__judgment__rater=judge.rater_id
    )
    theirs = RankedResponse.objects.filter(
        counting.counts(path), comparison__judgment__item__in=own.values(f"{path}item")
    )
    columns = [f"{path}item", f"{path}rater", "response", "rank", f"{path}prompt"]
    rows = [*own.values_list(*columns), *theirs.values_list(*columns)]
    nothing = absent(TOO_FEW_VOTES)
    if not rows:
        return Agreement(nothing, nothing)
    items, raters, responses, ranks, prompts = (list(column) for column in zip(*rows, strict=True))
    ranks = [np.nan if rank is None else rank for rank in ranks]
    votes = agreement_pairs.expand(items=items, raters=raters, responses=responses, ranks=ranks)
    prompt_of: Any = np.asarray(prompts)[votes.row]
    decided = votes.label != 0
    of_judge = decided & (votes.rater == judge.rater_id)
    label = dict(zip(votes.unit[of_judge].tolist(), votes.label[of_judge].tolist(), strict=True))
    known = np.asarray([unit in label for unit in votes.unit.tolist()], dtype=bool)
    of_people = known & decided & (votes.rater != judge.rater_id)
    units, labels, prompts = votes.unit[of_people], votes.label[of_people], prompt_of[of_people]
    raters = votes.rater[of_people]
    if len(units) < FEWEST_VOTES:
        return Agreement(absent(TOO_FEW_VOTES, len(units)), nothing)
    same = [label[unit] == vote for unit, vote in zip(units.tolist(), labels.tolist(), strict=True)]
    among = agreement_pairs.raw(units=units, labels=labels, prompts=prompts, ties="out")
    return Agreement(
        clustering.share(same, prompts=prompts, raters=raters),
        among if among.n >= FEWEST_VOTES else absent(TOO_FEW_VOTES, among.n),
    )
