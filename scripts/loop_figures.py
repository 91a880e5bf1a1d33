"""Prints the results of a loop from the database as JSON. scripts/loop.py runs it with the site's
environment. It only reads.
"""

import json
import os
import sys
from dataclasses import asdict

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db.models import (  # noqa: E402
    Avg,
    Count,
    F,
    Q,
)  # models can only be imported after Django is set up
from django.db.models.functions import Length  # noqa: E402
from simulated_raters import RATERS  # noqa: E402

from arithmetic.agreement import pairs as agreement_pairs  # noqa: E402
from labeling.models import (  # noqa: E402
    Campaign,
    Import,
    Item,
    Judgment,
    Prompt,
    Response,
)
from labeling.quality import contests  # noqa: E402
from labeling.quality.selectors import last_judgment_id  # noqa: E402
from labeling.votes import loading  # noqa: E402
from training.models import Run, Snapshot, TrainedModel  # noqa: E402
from training.results import curves as results_curves  # noqa: E402
from training.schedules.gate.verdict import Bars, Evidence, judged, measured_by_run  # noqa: E402
from training.schedules.plans.chain_plans import Plan  # noqa: E402


def overlap_violations() -> int:
    """Items with too many judgments, slots taken twice, and raters who got an item twice."""
    counted = Count(
        "judgments",
        filter=Judgment.versions_of_people.condition("judgments__") & Q(judgments__is_extra=False),
        distinct=True,
    )
    too_many = Item.objects.annotate(n=counted).filter(n__gt=F("campaign__overlap")).count()
    twice = (
        Judgment.of_people.exclude(item=None)
        .values("item", "rater")
        .annotate(n=Count("pk"))
        .filter(n__gt=1)
        .count()
    )
    too_many_slots = (
        Item.objects.annotate(n=Count("slots")).filter(n__gt=F("campaign__overlap")).count()
    )
    return too_many + twice + too_many_slots


def win_rates() -> list[dict[str, object]]:
    """For each campaign that compared two sources: the newer one's win rate in per cent."""
    found: list[dict[str, object]] = []
    for campaign in Campaign.objects.filter(kind=Campaign.Kind.COMPARISON).order_by("pk"):
        for contest in contests.contests(campaign=campaign):
            line: dict[str, object] = {
                "campaign": campaign.name,
                "source": contest.source,
                "other": contest.other,
            }
            line |= {
                "as_voted": asdict(contest.as_voted),
                "at_equal_length": asdict(contest.at_equal_length),
            }
            found.append(line)
    return found


def reward_by_drift() -> list[tuple[float, float]]:
    """(√KL, reward) for each rollout of the last PPO run, in order."""
    run = Run.objects.filter(kind="ppo").order_by("-pk").first()
    curves = results_curves.curves(run=run) if run else {}
    if not {"sqrt_kl", "reward"} <= set(curves):
        return []
    drift = dict(curves["sqrt_kl"].points)
    return [(drift[step], reward) for step, reward in curves["reward"].points if step in drift]


def agreement() -> list[dict[str, object]]:
    """For each campaign, how often two raters agree on a pair that both decided, in per cent."""
    found: list[dict[str, object]] = []
    for campaign in Campaign.objects.filter(kind=Campaign.Kind.COMPARISON).order_by("pk"):
        votes = loading.votes(
            campaign=campaign, through_id=last_judgment_id(campaign=campaign) or 0
        ).once
        figure = agreement_pairs.raw(
            units=votes.pairs.unit,
            labels=votes.turned,
            prompts=votes.prompt[votes.pairs.row],
            ties="out",
        )
        found.append({"campaign": campaign.name, **asdict(figure)})
    return found


def judged_models() -> tuple[TrainedModel, TrainedModel, Campaign] | None:
    """The newest model, the one it started from, and the newest campaign of comparisons."""
    made = TrainedModel.objects.filter(kind=TrainedModel.Kind.POLICY, run__isnull=False)
    model = made.order_by("-pk").first()
    campaign = Campaign.objects.filter(kind=Campaign.Kind.COMPARISON).order_by("-pk").first()
    before = model.run.base_model if model is not None and model.run is not None else None
    if model is None or campaign is None or before is None:
        return None
    if model.source_id is None or before.source_id is None:
        return None
    return model, before, campaign


def true_win_rate() -> float | None:
    """How often the raters, if they never erred, would prefer the newest model's responses."""
    judged_now = judged_models()
    if judged_now is None:
        return None
    model, before, campaign = judged_now
    wins = []
    for item in campaign.items.select_related("prompt"):
        texts = dict[int, list[str]]()
        for source, text in item.responses.values_list("source", "text"):
            texts.setdefault(source, []).append(text)
        prompt = item.prompt.messages[-1]["content"]
        for rater in RATERS:
            new, old = (
                [rater.score(prompt, text) for text in texts.get(source.source_id or 0, [])]
                for source in (model, before)
            )
            wins += [(a > b) + (a == b) / 2 for a in new for b in old]
    return sum(wins) / len(wins) if wins else None


def gate() -> dict[str, object] | None:
    """What the gate of a new schedule says of the newest model, on the campaign that compared it
    with the model it started from. None without either.
    """
    judged_now = judged_models()
    if judged_now is None:
        return None
    model, before, campaign = judged_now
    ours, theirs = model.source_id or 0, before.source_id or 0
    rate = contests.win_rate(
        campaign=campaign, source_id=ours, other_id=theirs, split=Prompt.Split.TEST
    )
    lengths = [_mean_length(source) for source in (ours, theirs)]
    seen = Evidence(
        win_rate=rate,
        n_missing=0,
        **measured_by_run(model.metrics),
        length=lengths[0] / lengths[1] if lengths[0] and lengths[1] else None,
        suites=(),
    )
    bars = Bars(Plan.min_win_rate / 100, Plan.max_kl, Plan.max_length)
    return judged(bars, seen).as_json()


def _mean_length(source: int) -> float | None:
    written = Response.objects.filter(source=source, prompt__split=Prompt.Split.TEST)
    found: float | None = written.aggregate(mean=Avg(Length("text")))["mean"]
    return found


def figures() -> dict[str, object]:
    sampled = Response.objects.filter(source__trained_model__run__isnull=False)
    return {
        "imports": list(Import.objects.order_by("pk").values("file_name", "state", "counts")),
        "snapshots": list(
            Snapshot.objects.order_by("pk").values("pk", "name", "kind", "n_rows", "card")
        ),
        "runs": list(
            Run.objects.order_by("pk").values(
                "pk", "kind", "outcome", "error", "metrics", "notes", "versions"
            )
        ),
        "models": list(
            TrainedModel.objects.order_by("pk").values("pk", "name", "kind", "source__name")
        ),
        "responses_sampled": sampled.count(),
        "responses_ended": sampled.filter(is_ended=True).count(),
        "judgments_submitted": Judgment.of_people.exclude(campaign=None).count(),
        "judgments_extra": Judgment.of_people.filter(is_extra=True).count(),
        "slots_wanted": sum(
            Campaign.objects.annotate(n=Count("slots")).values_list("n", flat=True)
        ),
        "overlap_violations": overlap_violations(),
        "win_rates": win_rates(),
        "reward_by_drift": reward_by_drift(),
        "gate": gate(),
        "agreement": agreement(),
        "true_win_rate": true_win_rate(),
    }


if __name__ == "__main__":
    json.dump(figures(), sys.stdout)
