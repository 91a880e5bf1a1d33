"""What verdicts are about: tables drawn by rules, with no effect or with one, and what is said of
them. Plain numbers, no database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from arithmetic import intervals
from arithmetic.agreement import alpha as alphas
from arithmetic.agreement import pairs
from arithmetic.figures import Figure
from labeling.conversations.red_teaming import diversity
from labeling.conversations.red_teaming import figures as red_figures
from labeling.conversations.red_teaming import verdicts as red_verdicts
from labeling.models import Campaign, QualityReport
from labeling.quality.contests import Contest
from labeling.quality.measures.contests import Wins
from labeling.quality.pages import conclusions, rating_words, verdicts_by_kind
from labeling.quality.pages.rating_words import QuestionRow
from labeling.quality.selectors import QualityRow
from labeling.votes.arrays import as_record
from labeling.votes.demonstrations import DemonstrationStats
from pages.verdicts import Verdict
from tests.training.lines import lines
from training.benchmarks.attacks import success
from training.benchmarks.attacks import verdicts as attack_verdicts
from training.benchmarks.attacks.attempts import Attempt
from training.benchmarks.scorecards import selectors
from training.benchmarks.scorecards.pages import verdicts as scorecard_verdicts
from training.benchmarks.statistics import differences
from training.lines import verdicts as line_verdicts
from training.models import Chain, Link, RevisionCheck, RuleSample
from training.results import comparison
from training.results import verdicts as run_verdicts
from training.revisions import selectors as revisions
from training.revisions import words as revision_words
from training.schedules import verdicts as schedule_verdicts
from training.schedules.gate import verdict as gate_verdict
from training.schedules.gate.selectors import Gate
from training.snapshots.curation import ratings
from training.snapshots.curation import verdicts as curation_verdicts
from training.snapshots.curation.ledger import RuleCounts, Summary

NOW = datetime(2026, 12, 1, tzinfo=UTC)
Draw = Callable[[np.random.Generator], Verdict]
SIZES = ((6, 3), (15, 2), (60, 1), (150, 2))
"""(prompts, votes on each)"""


@dataclass(frozen=True)
class Subject:
    """`nothing` draws tables without an effect, of several sizes; `effect` one with a real one, on
    enough data.
    """

    name: str
    nothing: tuple[Draw, ...]
    effect: Draw


def _comparisons(n_items: int, n_raters: int, n_answers: int, skill: float) -> Draw:
    """Raters who see an item's true ranking with probability `skill`, and else rank at random."""

    def draw(random: np.random.Generator) -> Verdict:
        units, labels, prompts = [], [], []
        for item in range(n_items):
            truth = random.permutation(n_answers)
            for _rater in range(n_raters):
                ranks = truth if random.random() < skill else random.permutation(n_answers)
                for one in range(n_answers):
                    for other in range(one):
                        units.append(item * 100 + one * 10 + other)
                        labels.append(1 if ranks[one] < ranks[other] else -1)
                        prompts.append(item)
        columns: Any = {"units": units, "labels": labels, "prompts": prompts}
        alpha = alphas.krippendorff(**columns, metric="ordinal")
        measured = {
            "alpha_ordinal": as_record(alpha),
            "raw_half": as_record(pairs.raw(**columns, ties="half")),
        }
        report = cast(QualityReport, SimpleNamespace(results={"agreement": measured}))
        return conclusions.of_comparisons(Campaign(pk=7), report, [])

    return draw


def _ratings(n_items: int, n_questions: int, noise: float) -> Draw:
    """Two raters, each answering every question of an item on a scale from 1 to 7; `noise` is the
    standard deviation of their error, that of the truth is 1.
    """

    def draw(random: np.random.Generator) -> Verdict:
        rows = []
        for name in "abcdef"[:n_questions]:
            truth = random.normal(size=(n_items, 1)) * (noise < np.inf)
            error = random.normal(size=(n_items, 2)) * min(noise, 1.0)
            labels = np.clip(np.rint(4 + 1.5 * (truth + error)), 1, 7).reshape(-1)
            units = np.repeat(np.arange(n_items), 2)
            alpha = alphas.krippendorff(units=units, labels=labels, prompts=units, metric="ordinal")
            none = Figure(None, 0)
            rows.append(
                QuestionRow(
                    name, "scale", alpha, none, none, "", n_items, n_items, 2.0, none, 4.0, 0, none
                )
            )
        return rating_words.of_ratings(Campaign(pk=7), rows, [])

    return draw


def _accuracy(kind: str, before: float, after: float, n: int, n_each: int) -> Draw:
    """A model that is right this often before, and again this often after training."""

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n), n_each).tolist()
        metrics: dict[str, object] = {"n_held_out_pairs": n * n_each, "n_held_out": n * n_each}
        for moment, share in (("before", before), ("after", after)):
            votes = (random.random(n * n_each) < share).astype(float).tolist()
            low, high = intervals.of_votes(votes, prompts) or (None, None)
            for end, value in (("", np.mean(votes)), ("low_", low), ("high_", high)):
                metrics[f"held_out_accuracy_{end}{moment}"] = value
        return run_verdicts.of_run(kind=kind, metrics=metrics)

    return draw


def _paired(kind: str, name: str, change: str, n: int, n_each: int, mean: float) -> Draw:
    """Values that differ between prompts, and change by `mean` on average."""

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n), n_each)
        of_prompt = random.normal(size=n)[prompts]
        before = 3 + of_prompt + random.normal(size=n * n_each)
        shift = mean + 0.5 * random.normal(size=n)[prompts] + random.normal(size=n * n_each)
        metrics: dict[str, object] = {
            "n_held_out": n * n_each,
            "n_held_out_prompts": n,
            f"{name}_before": before.mean(),
            f"{name}_after": (before + shift).mean(),
        }
        if found := intervals.of_mean(shift.tolist(), prompts.tolist()):
            metrics |= {f"{name}_{change}": shift.mean()}
            metrics |= {f"{name}_{change}_low": found[0], f"{name}_{change}_high": found[1]}
        return run_verdicts.of_run(kind=kind, metrics=metrics)

    return draw


def _revisions(share: float, n: int, n_each: int) -> Draw:
    """Raters who tie in a quarter of votes, and prefer this share of revisions in the others."""

    def draw(random: np.random.Generator) -> Verdict:
        won = np.where(random.random(n * n_each) < 0.25, 0.5, random.random(n * n_each) < share)
        prompts, raters = np.repeat(np.arange(n), n_each), random.integers(8, size=n * n_each)
        whole = revisions.Part(Wins(won, prompts, raters).share(), n)
        check = RevisionCheck(campaign_id=1, n_revised=n, n_asked=n)
        return revision_words.verdict(revisions.Preferred(check, whole, 0, []))

    return draw


def _win_rate(share: float, n: int, n_each: int) -> Draw:
    def draw(random: np.random.Generator) -> Verdict:
        votes = random.choice([0.0, 0.5, 1.0], n * n_each, p=[0.9 - share, 0.1, share]).tolist()
        low, high = intervals.of_votes(votes, np.repeat(np.arange(n), n_each).tolist()) or (
            None,
            None,
        )
        rates = {"win_rate": np.mean(votes), "win_rate_low": low, "win_rate_high": high}
        known = {name: value for name, value in rates.items() if value is not None}
        return run_verdicts.of_run(kind="evaluate", metrics=known | {"n_prompts": n})

    return draw


def _compared_runs(n_runs: int, n: int, n_each: int, gain: float) -> Draw:
    """Runs from one model whose losses change alike on the same rows; in the second, `gain` more.
    Rows that are hard to learn are so for all of them.
    """

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n), n_each)
        common = 0.5 * random.normal(size=n)[prompts]
        runs = []
        for number in range(n_runs):
            shift = common + 0.3 * random.normal(size=n)[prompts] + random.normal(size=n * n_each)
            shift -= 0.2 + gain * (number == 1)
            metrics = {
                "n_held_out": n * n_each,
                "held_out_loss_before": 3.0,
                "held_out_loss_after": 3.0 + shift.mean(),
            }
            if found := intervals.of_mean(shift.tolist(), prompts.tolist()):
                metrics["held_out_loss_change_low"], metrics["held_out_loss_change_high"] = found
            runs.append(comparison.ComparedRun(f"run {number}", "sft", {}, metrics, (), 1))
        return comparison.of_runs(runs)

    return draw


def _compared_judges(n_runs: int, n: int, n_each: int, gain: float) -> Draw:
    """Reward models on the same pairs, the second of them right more often by `gain`."""

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n), n_each).tolist()
        easy = random.beta(4, 3, n)[prompts]
        runs = []
        for number in range(n_runs):
            right = (random.random(n * n_each) < easy + gain * (number == 1)).astype(float)
            low, high = intervals.of_votes(right.tolist(), prompts) or (None, None)
            metrics = {
                "n_held_out_pairs": n * n_each,
                "held_out_accuracy_after": right.mean(),
                "held_out_accuracy_low": low,
                "held_out_accuracy_high": high,
            }
            runs.append(comparison.ComparedRun(f"run {number}", "reward", {}, metrics, (), number))
        return comparison.of_runs(runs)

    return draw


def _suites(
    n_suites: int, n_items: int, n_each: int, gain: float, said: Callable[..., Verdict]
) -> Draw:
    """Two models that are right about as many items of each suite, in clusters of `n_each`."""

    def draw(random: np.random.Generator) -> Verdict:
        measured = []
        for _suite in range(n_suites):
            clusters = np.repeat(np.arange(n_items), n_each)
            hard = random.random(n_items)[clusters]
            theirs, ours = (random.random((2, len(clusters))) < [hard, hard + gain]).astype(float)
            measured.append(differences.compare(ours, theirs, clusters))
        judged = selectors.judged(measured)
        return said(judged, baseline="base", n_suites=n_suites)

    return draw


def _attacks(n_goals: int, n_each: int, drop: float) -> Draw:
    """Attempts at goals, of which some are easy, on this model and on another one."""

    def draw(random: np.random.Generator) -> Verdict:
        goals = np.repeat(np.arange(n_goals), n_each)
        easy = random.beta(1, 2, n_goals)[goals]
        theirs, ours = random.random((2, len(goals))) < [easy, np.maximum(easy - drop, 0)]
        both = [
            [
                Attempt(number, goal, "", "", "direct", number, bool(found))
                for number, (goal, found) in enumerate(zip(goals.tolist(), one, strict=True))
            ]
            for one in (ours, theirs)
        ]
        change = success.difference(*both)
        overall = success.success(both[0], None)
        return attack_verdicts.of_attack(overall, None, run_id=1, is_finished=True, change=change)

    return draw


def _gate(n_prompts: int, n_each: int, share: float) -> Draw:
    """Raters who prefer the new model this often, more so on some prompts."""

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n_prompts), n_each)
        liked = np.clip(share + 0.3 * random.choice([-1, 1], n_prompts), 0, 1)[prompts]
        votes = (random.random(len(prompts)) < liked).astype(float).tolist()
        ends = intervals.of_votes(votes, prompts.tolist()) or (None, None)
        rate = Figure(float(np.mean(votes)), len(votes), *ends)
        seen = gate_verdict.Evidence(rate, 0, None, None, None, None, None)
        judged = gate_verdict.judged(gate_verdict.Bars(0.5, None, None), seen)
        gate = Gate(Link(), judged.outcome, judged.sentence, [], False, "", [])
        return schedule_verdicts.of_chain(Chain(state=Chain.State.FINISHED), None, gate)

    return draw


def _line(n_chains: int, n_prompts: int, n_raters: int, share: float) -> Draw:
    """A line of models, each of which raters prefer this often to the one it has to beat."""

    def draw(random: np.random.Generator) -> Verdict:
        raters = lines.Raters(random, n_prompts, n_raters, share)
        return line_verdicts.of_line(lines.drawn(raters, n_chains))

    return draw


def _demonstrations(n: int, n_each: int, mean: float) -> Draw:
    """Reviewers' scores from 1 to 7, which prompts have in common."""

    def draw(random: np.random.Generator) -> Verdict:
        prompts = np.repeat(np.arange(n), n_each)
        spread = random.normal(size=n)[prompts] + random.normal(size=n * n_each)
        scores = np.clip(np.rint(mean + spread), 1, 7).tolist()
        ends = intervals.of_mean(scores, prompts.tolist()) or (None, None)
        score = Figure(float(np.mean(scores)), len(scores), *ends)
        written = DemonstrationStats(400, len(scores), score.value, 0, score)
        return verdicts_by_kind.of_demonstrations(Campaign(pk=7), written, [])

    return draw


def _conversations(
    n_models: int, n: int, n_each: int, share: float, *, are_attacks: bool = False
) -> Draw:
    """Every two models beside each other; the first of each two wins this often."""

    def draw(random: np.random.Generator) -> Verdict:
        contests = []
        for one in range(n_models):
            for other in range(one):
                votes = (random.random(n * n_each) < share).astype(float).tolist()
                ends = intervals.of_votes(votes, np.repeat(np.arange(n), n_each).tolist())
                low, high = (100 * end for end in ends) if ends else (None, None)
                rate = Figure(100 * float(np.mean(votes)), len(votes), low, high)
                contests.append(Contest(f"model {one}", f"model {other}", rate, Figure(None, 0)))
        of = verdicts_by_kind.of_attacks if are_attacks else verdicts_by_kind.of_conversations
        return of(Campaign(pk=7), contests, [])

    return draw


def _all_campaigns(n: int, alpha: float) -> Draw:
    """Campaigns whose α has a normal error."""

    def draw(random: np.random.Generator) -> Verdict:
        rows = []
        for number in range(n):
            value, error = random.normal(alpha, 0.08), 0.08
            ends = (value - intervals.Z_95 * error, value + intervals.Z_95 * error)
            figure = Figure(value, 300, *ends)
            campaign = Campaign(pk=number, name=f"campaign {number}")
            rows.append(QualityRow(campaign, NOW, 300, figure, figure, 0))
        return verdicts_by_kind.of_all(rows)

    return draw


def _red_teaming(n_raters: int, n_each: int, shares: tuple[float, ...]) -> Draw:
    """Attackers of different skill, each with `n_each` attacks in every area; `shares`: how often
    attacks succeed in each.
    """

    def draw(random: np.random.Generator) -> Verdict:
        raters = np.repeat(np.arange(n_raters), n_each)
        skill = random.choice([-0.2, 0.2], n_raters)[raters]
        scores, attackers, lines = [], [], []
        for number, share in enumerate(shares):
            found = (random.random(len(raters)) < share + skill).astype(float).tolist()
            scores += found
            attackers += raters.tolist()
            lines.append(_attack_line(f"area {number}", found, raters.tolist()))
        whole = _attack_line("", scores, attackers)
        none = diversity.Diversity(0, 0, 0)
        findings = red_figures.Findings(lines, [], whole, Figure(None, 0), none)
        return red_verdicts.of_red_teaming(findings, campaign=Campaign(pk=7))

    return draw


def _attack_line(area: str, scores: list[float], attackers: list[int]) -> red_figures.Line:
    rate = red_figures.success_share(scores, attackers, note="")
    return red_figures.Line(area, None, len(scores), len(set(attackers)), Figure(None, 0), rate)


def _preview(n: int, precision: float) -> Draw:
    """Documents that a rule removed, of which this share should go."""

    def draw(random: np.random.Generator) -> Verdict:
        should_go = int((random.random(n) < precision).sum())
        rate = ratings.Rate(n, should_go / n, *intervals.wilson(should_go, n))
        row = ratings.MeasuredRule(RuleSample(rule="length"), rate, ratings.Rate(0, None))
        rules = [("length", RuleCounts(400, 0)), ("language", RuleCounts(90, 0))]
        summary = Summary("documents", "", 1_000, 510, 0, 490, rules)
        return curation_verdicts.of_preview(summary, [row], curation_id=3)

    return draw


SUBJECTS = [
    Subject(
        "a red teaming",
        tuple(_red_teaming(*size, (0.5, 0.5, 0.5)) for size in ((6, 2), (12, 3), (40, 4))),
        _red_teaming(40, 4, (0.25, 0.25, 0.25)),
    ),
    Subject(
        "a curation",
        tuple(_preview(n, 0.5) for n in (6, 30, 100, 200)),
        _preview(100, 0.75),
    ),
    Subject(
        "a campaign of demonstrations",
        tuple(_demonstrations(*size, 4.0) for size in SIZES),
        _demonstrations(80, 2, 5.0),
    ),
    Subject(
        "a campaign of conversations",
        tuple(_conversations(*size, 0.5) for size in ((2, 60, 1), (3, 30, 2), (4, 60, 2))),
        _conversations(3, 200, 2, 0.65),
    ),
    Subject(
        "a red-teaming campaign",
        tuple(
            _conversations(*size, 0.5, are_attacks=True)
            for size in ((2, 60, 1), (3, 30, 2), (4, 60, 2))
        ),
        _conversations(3, 200, 2, 0.65, are_attacks=True),
    ),
    Subject(
        "all campaigns",
        tuple(_all_campaigns(n, 0.0) for n in (1, 5, 20)),
        _all_campaigns(5, 0.5),
    ),
    Subject(
        "a chain with a gate",
        tuple(_gate(*size, 0.5) for size in SIZES),
        _gate(200, 2, 0.65),
    ),
    Subject(
        "a line of models",
        tuple(_line(*size, 0.5) for size in ((1, 6, 4), (3, 12, 5), (6, 40, 8), (12, 60, 8))),
        _line(1, 200, 8, 0.65),
    ),
    Subject(
        "an attack",
        tuple(_attacks(*size, 0.0) for size in ((8, 3), (30, 1), (60, 4))),
        _attacks(150, 3, 0.25),
    ),
    *(
        Subject(
            name,
            tuple(_suites(*size, 0.0, said) for size in ((1, 40, 1), (8, 30, 1), (4, 20, 3))),
            _suites(4, 200, 1, 0.25, said),
        )
        for name, said in (
            ("a scorecard", scorecard_verdicts.of_suites),
            ("all scorecards", partial(scorecard_verdicts.of_newest, model="tuned", n_models=5)),
        )
    ),
    Subject(
        "a campaign of comparisons",
        tuple(_comparisons(*size, 0.0) for size in ((6, 3, 4), (15, 3, 2), (40, 2, 4), (60, 5, 2))),
        _comparisons(60, 3, 4, 0.7),
    ),
    Subject(
        "a campaign of ratings",
        tuple(_ratings(*size, np.inf) for size in ((12, 1), (30, 3), (60, 6))),
        _ratings(80, 3, 0.5),
    ),
    *(
        Subject(
            f"a run of {kind}",
            tuple(_accuracy(kind, 0.5, 0.5, *size) for size in SIZES),
            _accuracy(kind, 0.5, 0.75, 150, 2),
        )
        for kind in ("reward", "dpo", "kto")
    ),
    *(
        Subject(
            f"a run of {kind}",
            tuple(_paired(kind, name, change, *size, 0.0) for size in SIZES),
            _paired(kind, name, change, 150, 2, mean),
        )
        for kind, name, change, mean in (
            *((kind, "held_out_loss", "change", -0.5) for kind in ("sft", "pretrain")),
            *((kind, "reward", "gain", 0.5) for kind in ("ppo", "rloo", "grpo")),
        )
    ),
    Subject(
        "runs compared by their losses",
        tuple(_compared_runs(*size, 0.0) for size in ((2, 6, 3), (2, 60, 1), (6, 40, 2))),
        _compared_runs(3, 150, 2, 0.5),
    ),
    Subject(
        "runs compared by their accuracies",
        tuple(_compared_judges(*size, 0.0) for size in ((2, 6, 3), (2, 60, 1), (6, 40, 2))),
        _compared_judges(2, 300, 1, 0.2),
    ),
    Subject(
        "a run of revise",
        tuple(_revisions(0.5, *size) for size in SIZES),
        _revisions(0.7, 200, 1),
    ),
    Subject(
        "a run of evaluate",
        tuple(_win_rate(0.45, *size) for size in SIZES),
        _win_rate(0.65, 200, 1),
    ),
]
