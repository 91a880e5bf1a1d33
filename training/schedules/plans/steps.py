"""The steps of chains. To add one, declare it here and name it in a template
(training.schedules.plans.chain_plans). Functions first: what a step takes from those before it.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import Campaign
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.offline.dpo import DpoConfig
from training.configs.offline.kto import KtoConfig
from training.configs.online.rloo import RlooConfig
from training.configs.ppo import PpoConfig
from training.configs.pretrain import PretrainConfig
from training.configs.reward import RewardConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.models import Link, Run, Schedule, TrainedModel
from training.schedules.plans.settings import UNDECIDED, PlanSettings
from training.schedules.plans.step import (
    CampaignStep,
    GateStep,
    Outputs,
    RequestStep,
    RunStep,
    SnapshotStep,
    Step,
)
from training.snapshots import draws
from training.snapshots.contents.filters import Filters
from training.snapshots.draws import Draw

MIN_MEASURED = 16

# --- models ---------------------------------------------------------------------------------------


def first_model(schedule: Schedule, plan: PlanSettings, *, has_gate: bool) -> TrainedModel:
    """With a gate, the current model, or one after it that stayed undecided; without one, the
    newest.
    """
    if not plan.goes_on:
        return TrainedModel.objects.get(pk=plan.base_model)
    if has_gate:
        current = current_model(schedule, plan)
        return _undecided_after(current, schedule, plan) or current
    usable = _models_of(schedule).exclude(stage=TrainedModel.Stage.RETIRED)
    return usable.order_by("-pk").first() or TrainedModel.objects.get(pk=plan.base_model)


def current_model(schedule: Schedule, plan: PlanSettings) -> TrainedModel:
    """The model of this schedule that was approved last, by a gate or by a person; at first the one
    it starts from.
    """
    approved = _models_of(schedule).filter(stage=TrainedModel.Stage.APPROVED)
    last = approved.order_by(F("approved_at").desc(nulls_last=True), "-pk").first()
    return last or TrainedModel.objects.get(pk=plan.base_model)


def _undecided_after(
    current: TrainedModel, schedule: Schedule, plan: PlanSettings
) -> TrainedModel | None:
    """The model of the newest gate, if raters could not tell whether it is better than `current`.
    What it has gained so far is then in the next model, which has to beat the same one.
    """
    gates = Link.objects.filter(chain__schedule=schedule, step=GATE.name, state=Link.State.DONE)
    newest = gates.select_related("chain", "model").order_by("-chain__number").first()
    if not plan.keeps_undecided or newest is None or newest.model is None:
        return None
    model, began = newest.model, newest.chain.plan
    is_undecided = newest.verdict.get("outcome") == UNDECIDED
    approved_at, ended_at = current.approved_at, newest.ended_at
    is_replaced = approved_at is not None and ended_at is not None and approved_at > ended_at
    is_usable = model.freed_at is None and model.stage == TrainedModel.Stage.CANDIDATE
    is_of_line = began.get("base_model") == plan.base_model
    fine_tuned = newest.chain.links.filter(step=SFT.name, run__isnull=False).first()
    if current.pk == plan.base_model and fine_tuned and fine_tuned.run_id != model.run_id:
        is_of_line = False  # it was compared with its chain's own fine-tuned model: see rival
    return model if is_undecided and is_usable and is_of_line and not is_replaced else None


def _models_of(schedule: Schedule) -> QuerySet[TrainedModel]:
    return TrainedModel.objects.filter(
        run__link__chain__schedule=schedule, kind=TrainedModel.Kind.POLICY, freed_at=None
    )


def new_model(outputs: Outputs) -> TrainedModel:
    return outputs.model_of(outputs.shape.improving[-1])


def rival(outputs: Outputs) -> TrainedModel:
    """The model to beat: the current one. In the first chain of a schedule that fine-tunes before
    it improves the model, the fine-tuned model, because a base model is beaten by anything.
    """
    current = current_model(outputs.chain.schedule, outputs.plan)
    if current.pk == outputs.plan.base_model and SFT in outputs.shape.improving[:-1]:
        return outputs.model_of(SFT)
    return current


def _fine_tuned(outputs: Outputs) -> TrainedModel:
    return outputs.model_of(SFT)


def _improved(outputs: Outputs) -> TrainedModel:
    """The model that the last improvement started from."""
    return outputs.model_before(outputs.shape.improving[-1])


def _reward_base(outputs: Outputs) -> TrainedModel | None:
    chosen = outputs.plan.reward_base
    return None if chosen is None else TrainedModel.objects.get(pk=chosen)


def _reward_model(outputs: Outputs) -> TrainedModel | None:
    """None in a chain where raters choose."""
    if outputs.plan.reward_model is not None:
        return TrainedModel.objects.get(pk=outputs.plan.reward_model)
    return None if outputs.has(RANKING) else outputs.model_of(REWARD)


def _reference(outputs: Outputs) -> TrainedModel | None:
    """What KL is measured to; None for the model that the line began with."""
    chosen = outputs.plan.reference_model
    return None if chosen is None else TrainedModel.objects.get(pk=chosen)


def _watchdog(outputs: Outputs) -> TrainedModel | None:
    """None in a chain without a second reward model."""
    return outputs.model_of(WATCHDOG) if outputs.has(WATCHDOG) else None


def _is_benchmarked(outputs: Outputs) -> bool:
    """Whether the current model has answered the same suites with the same settings before."""
    own = outputs.chain.links.select_related("run").get(step=BENCHMARK.name).run
    if own is None:
        return False
    before = Run.objects.filter(
        kind=own.kind,
        base_model=rival(outputs),
        snapshot=own.snapshot_id,
        config=own.config,
        outcome=Run.Outcome.SUCCEEDED,
        is_dry=False,
    )
    return before.exists()


# --- snapshots ------------------------------------------------------------------------------------


def _practice(outputs: Outputs) -> Filters:
    """The model practises on training prompts and is measured on validation prompts."""
    plan, limits = outputs.plan, {}
    if plan.n_prompts is not None:
        limits = {"train": plan.n_prompts, "validation": max(MIN_MEASURED, plan.n_prompts // 8)}
    draw = Draw(draws.PRACTICE, outputs.chain.number, limits, plan.max_uses)
    return Filters(splits=("train", "validation"), draw=draw)


def _for_raters(outputs: Outputs) -> Filters:
    """Test prompts judge the new model. The next reward model learns from comparisons on training
    prompts and is measured on those on validation prompts.
    """
    limits = {"test": outputs.plan.n_judged}
    if TAUGHT not in outputs.shape.steps:
        limits |= _taught(outputs.plan)
    return Filters(splits=tuple(limits), draw=Draw(draws.RATERS, outputs.chain.number, limits))


def _to_learn_from(outputs: Outputs) -> Filters:
    limits = _taught(outputs.plan)
    return Filters(splits=tuple(limits), draw=Draw(draws.RATERS, outputs.chain.number, limits))


def _taught(plan: PlanSettings) -> dict[str, int]:
    """Prompts by split whose comparisons a model learns from, and on which it is measured."""
    n_measuring = plan.n_taught // 5
    return {"train": plan.n_taught - n_measuring, "validation": n_measuring}


def _asked_about(outputs: Outputs) -> Filters:
    """What raters said of the current model's own responses in this chain."""
    asked = outputs.chain.links.filter(step=CAMPAIGN_NOW.name, campaign__isnull=False)
    campaigns = tuple(asked.values_list("campaign", flat=True))
    return Filters(campaigns=campaigns, includes_imports=False)


def _best(outputs: Outputs) -> Filters:
    """Of the chain's own candidates; if the plan says so, also of those of earlier chains, and of
    the responses that raters compared at their gates.
    """
    chain = outputs.chain
    links = Link.objects.filter(chain=chain)
    if outputs.plan.keeps_earlier:
        links = Link.objects.filter(
            chain__schedule=chain.schedule_id, chain__number__lte=chain.number
        )
    if outputs.has(RANKING):
        return Filters(best_voted_in=tuple(_ids(links, "campaign", RANKING, CAMPAIGN)))
    done = links.filter(run__outcome=Run.Outcome.SUCCEEDED)
    return Filters(best_of=tuple(_ids(done, "run", CANDIDATES)))


def _preferred(outputs: Outputs) -> Filters:
    """Of the plan's campaigns; if it has chosen none, of all comparison campaigns."""
    chosen = Filters.from_json(outputs.plan.filters).campaigns
    if not chosen:
        compared = Campaign.objects.filter(kind__in=registry.with_answer(Answer.COMPARISON))
        chosen = tuple(compared.order_by("pk").values_list("pk", flat=True))
    return Filters(best_voted_in=chosen)


def _ids(links: QuerySet[Link], of: str, *produced_by: Step) -> list[int]:
    names = [step.name for step in produced_by]
    rows = links.filter(step__in=names, **{f"{of}__isnull": False})
    return list(rows.order_by(of).values_list(of, flat=True))


def _scored_now(outputs: Outputs) -> Filters:
    """Of the chain's own sampling run: pairs that the current model wrote itself."""
    runs = Run.objects.filter(link__step=CANDIDATES.name, link__chain=outputs.chain)
    return Filters(best_of=tuple(runs.values_list("pk", flat=True)))


# --- settings -------------------------------------------------------------------------------------


def _candidates(plan: PlanSettings, config: Mapping[str, Any]) -> dict[str, object]:
    batch_size = max(config.get("batch_size", SampleConfig().batch_size), plan.n_candidates)
    return {"n_responses": plan.n_candidates, "batch_size": batch_size}


def _larger_part(plan: PlanSettings, config: Mapping[str, object]) -> dict[str, object]:
    return {"part": "larger"} if plan.is_watched else {}


def _smaller_part(plan: PlanSettings, config: Mapping[str, Any]) -> dict[str, object]:
    """Another seed too, so that the two reward models have no head in common."""
    seed = config.get("seed", RewardConfig().seed)
    return {"part": "smaller", "seed": (seed + 1) % 2**31}


# --- the steps ------------------------------------------------------------------------------------

DEMONSTRATIONS = SnapshotStep(
    "demonstrations", _("snapshot of demonstrations"), kind="demonstrations"
)
COMPARISONS = SnapshotStep("comparisons", _("snapshot of comparisons"), kind="comparisons")
UNPAIRED = SnapshotStep("unpaired", _("snapshot of good and bad responses"), kind="unpaired")
PREFERRED = SnapshotStep(
    "preferred", _("snapshot of the preferred responses"), "demonstrations", _preferred
)
PROMPTS = SnapshotStep(
    draws.PROMPTS,
    _("snapshot of prompts"),
    "prompts",
    _practice,
    fields=("n_prompts", "max_uses"),
)
HELD_OUT = SnapshotStep(
    draws.HELD_OUT, _("snapshot of prompts for raters"), "prompts", _for_raters, asks_raters=True
)
PRETRAIN = RunStep("pretrain", _("pretraining"), PretrainConfig.kind, reads=None, fields=("text",))
SFT = RunStep("sft", _("fine-tuning"), SftConfig.kind, reads=DEMONSTRATIONS)
CANDIDATES = RunStep(
    draws.CANDIDATES,
    _("responses to choose from"),
    SampleConfig.kind,
    reads=PROMPTS,
    beside={"reward_model": _reward_model},
    own_settings=_candidates,
    fields=("n_candidates",),
)
RANKING = CampaignStep(
    "ranking",
    _("campaign in which raters rank them"),
    (CANDIDATES,),
    shows_candidates=True,
    called=_("ranking"),
)
BEST = SnapshotStep(
    "best",
    _("snapshot of the best responses"),
    "demonstrations",
    _best,
    awaits=RANKING,
    fields=("keeps_earlier",),
)
SFT_PREFERRED = RunStep(
    "sft_preferred", _("fine-tuning on the preferred"), SftConfig.kind, reads=PREFERRED
)
SFT_BEST = RunStep("sft_best", _("fine-tuning on the best"), SftConfig.kind, reads=BEST)
REWARD = RunStep(
    "reward",
    _("reward model"),
    RewardConfig.kind,
    reads=COMPARISONS,
    starts_from=_reward_base,
    own_settings=_larger_part,
)
WATCHDOG = RunStep(
    "watchdog",
    _("second reward model, which watches PPO"),
    RewardConfig.kind,
    reads=COMPARISONS,
    starts_from=_reward_base,
    own_settings=_smaller_part,
    fields=("trains_watchdog",),
)
PPO = RunStep(
    "ppo",
    _("PPO"),
    PpoConfig.kind,
    reads=PROMPTS,
    beside={
        "reward_model": _reward_model,
        "watchdog_model": _watchdog,
        "reference_model": _reference,
    },
    fields=("reference_model",),
)
DPO = RunStep("dpo", _("DPO"), DpoConfig.kind, reads=COMPARISONS)
KTO = RunStep("kto", _("KTO"), KtoConfig.kind, reads=UNPAIRED)
SCORED_PAIRS = SnapshotStep(
    "scored_pairs",
    _("snapshot of the best response against the worst"),
    "comparisons",
    _scored_now,
)
DPO_SCORED = RunStep("dpo_scored", _("DPO on its own responses"), DpoConfig.kind, SCORED_PAIRS)
TAUGHT = SnapshotStep(
    draws.TAUGHT, _("snapshot of prompts to learn from"), "prompts", _to_learn_from
)
SAMPLE_NOW = RunStep(
    "sample_now", _("responses of the current model to learn from"), SampleConfig.kind, TAUGHT
)
CAMPAIGN_NOW = CampaignStep(
    "campaign_now",
    _("comparison campaign on these responses"),
    (SAMPLE_NOW,),
    called=_("comparison to learn from"),
)
ASKED_PAIRS = SnapshotStep(
    "asked_pairs",
    _("snapshot of this campaign's comparisons"),
    "comparisons",
    _asked_about,
    awaits=CAMPAIGN_NOW,
)
DPO_ASKED = RunStep("dpo_asked", _("DPO on its own responses"), DpoConfig.kind, ASKED_PAIRS)
RLOO = RunStep(
    "rloo",
    _("RLOO"),
    RlooConfig.kind,
    reads=PROMPTS,
    beside={"reward_model": _reward_model, "reference_model": _reference},
    fields=("reference_model",),
)
EVALUATE = RunStep(
    "evaluate",
    _("the new model against the previous one, scored by the reward model"),
    EvaluateConfig.kind,
    reads=PROMPTS,
    starts_from=new_model,
    beside={"reward_model": _reward_model, "other_model": _improved},
    own_settings=lambda _plan, _config: {"split": "held_out"},
)
SAMPLE_FIRST = RunStep(
    "sample_first",
    _("responses of the fine-tuned model"),
    SampleConfig.kind,
    reads=PROMPTS,
    starts_from=_fine_tuned,
)
SAMPLE = RunStep(
    "sample",
    _("responses of the new model"),
    SampleConfig.kind,
    reads=HELD_OUT,
    starts_from=new_model,
    asks_raters=True,
)
SAMPLE_BEFORE = RunStep(
    "sample_before",
    _("responses of the current model"),
    SampleConfig.kind,
    reads=HELD_OUT,
    starts_from=rival,
    asks_raters=True,
)
SUITES = SnapshotStep("suites", _("snapshot of suites"), kind="suites")
BENCHMARK = RunStep(
    "benchmark",
    _("benchmark of the new model"),
    BenchmarkConfig.kind,
    reads=SUITES,
    starts_from=new_model,
    fields=("suites",),
)
BENCHMARK_BEFORE = RunStep(
    "benchmark_before",
    _("benchmark of the current model"),
    BenchmarkConfig.kind,
    reads=SUITES,
    starts_from=rival,
    is_done=_is_benchmarked,
)
CAMPAIGN_FIRST = CampaignStep(
    "campaign_first",
    _("comparison campaign to learn from"),
    (SAMPLE_FIRST,),
    called=_("comparison to learn from"),
)
CAMPAIGN = CampaignStep(
    "campaign",
    _("comparison campaign"),
    (SAMPLE, SAMPLE_BEFORE),
    asks_raters=True,
    fields=("pool", "guideline", "n_judged", "n_taught", "n_responses", "overlap"),
)
GATE = GateStep(
    "gate",
    _("gate: does the new model become the current one?"),
    fields=(
        "min_win_rate",
        "confidence",
        "n_looks",
        "keeps_undecided",
        "max_kl",
        "max_length",
        "gate_days",
    ),
)
REQUEST = RequestStep(
    "request",
    _("request to the admins for a blind comparison"),
    (SAMPLE, SAMPLE_BEFORE),
    asks_raters=True,
)

STEPS: Mapping[str, Step] = {
    step.name: step for step in list(globals().values()) if isinstance(step, Step)
}
"""By the names that links store, in the order above."""
