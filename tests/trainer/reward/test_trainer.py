"""The ranking loss and its packed rows, against slow twins, TRL's own loss and the worked
examples.
"""

import itertools
import math
import random
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from transformers import (
    LlamaForSequenceClassification,
    MistralConfig,
    MistralForSequenceClassification,
    PreTrainedTokenizerBase,
)
from trl.trainer.reward_trainer import DataCollatorForPreference, RewardTrainer

from arithmetic import intervals
from tests.trainer.ppo import models as ppo_models
from training.trainer.modeling import packed_attention
from training.trainer.reward import batches, formulas, pair_results, rankings
from training.trainer.reward import trainer as reward_trainer
from training.trainer.reward.rankings import Ranking, RankingRow


def build_model(seed: int = 0) -> LlamaForSequenceClassification:
    return ppo_models.classifier(seed, vocab_size=101)


def random_rows(seed: int, n: int = 5, max_k: int = 6) -> list[RankingRow]:
    """Rankings with ties, gaps, unequal K and weights."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        k = draw.randint(2, max_k)
        prompt = [draw.randint(3, 100) for _ in range(draw.randint(1, 9))]
        responses = [[draw.randint(3, 100) for _ in range(draw.randint(1, 7))] for _ in range(k)]
        given: list[Ranking] = [
            {
                "ranks": [draw.choice([1, 2, 3, None]) for _ in range(k)],
                "weight": draw.choice([0.5, 1.0, 2.0]),
                "margin": draw.choice([0.0, 0.3]),
            }
            for _ in range(draw.randint(1, 3))
        ]
        rows.append(rankings.ranking_row(prompt, responses, given))
    return rows


def pairs_of(ranks: list[int | None], margin: float = 0.0) -> formulas.Pairs:
    found = list(rankings.decided_pairs(ranks))
    return formulas.Pairs(
        winner=torch.tensor([w for w, _ in found], dtype=torch.long),
        loser=torch.tensor([loser for _, loser in found], dtype=torch.long),
        prompt=torch.zeros(len(found), dtype=torch.long),
        weight=torch.ones(len(found)),
        margin=torch.full((len(found),), margin),
    )


def slow_loss(rewards: list[float], rows: list[RankingRow]) -> float:
    """The formula as written, one pair at a time."""
    means, start = [], 0
    for row in rows:
        total, n_pairs = 0.0, 0
        for w, loser, importance, margin in zip(
            row["winner"], row["loser"], row["weight"], row["margin"], strict=True
        ):
            difference = rewards[start + w] - rewards[start + loser] - margin
            total += importance * math.log(1 + math.exp(-difference))
            n_pairs += 1
        if n_pairs:
            means.append(total / n_pairs)
        start += len(row["response_ids"])
    return sum(means) / len(means) if means else 0.0


# --- worked examples ------------------------------------------------------------------------------


def test_the_loss_of_four_ranked_responses_is_the_worked_example() -> None:
    rewards = torch.tensor([2.0, 1.0, 0.5, -1.0], dtype=torch.float64)

    loss = formulas.ranking_loss(rewards, pairs_of([1, 2, 3, 4]), n_prompts=1)

    assert float(loss) == pytest.approx(0.2276134, abs=1e-6)


def test_a_tie_drops_out_and_the_divisor_is_the_pairs_that_were_kept() -> None:
    rewards = torch.tensor([2.0, 1.0, 0.5, -1.0], dtype=torch.float64)

    loss = formulas.ranking_loss(rewards, pairs_of([1, 2, 2, 3]), n_prompts=1)

    assert float(loss) == pytest.approx(0.1783207, abs=1e-6)


@pytest.mark.parametrize(
    ("margin", "expected"), [(1, 0.693147), (2 / 3, 0.540306), (1 / 3, 0.414370), (3, 2.126928)]
)
def test_a_margin_shifts_the_difference_as_in_llama_2(margin: float, expected: float) -> None:
    rewards = torch.tensor([1.0, 0.0], dtype=torch.float64)

    loss = formulas.ranking_loss(rewards, pairs_of([1, 2], margin), n_prompts=1)

    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_unranked_responses_make_no_pair() -> None:
    assert list(rankings.decided_pairs([1, None, 2, 2])) == [(0, 2), (0, 3)]


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(8, 10, 0.490162, 0.943318), (0, 0, 0.0, 1.0), (0, 10, 0.0, 0.277533)],
)
def test_wilsons_interval(right: int, n: int, low: float, high: float) -> None:
    assert intervals.wilson(right, n) == pytest.approx((low, high), abs=1e-5)


# --- against the slow twin and TRL ----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_equals_its_slow_twin(seed: int) -> None:
    rows = random_rows(seed)
    batch = batches.RankingCollator(0)(rows)
    rewards = torch.randn(sum(len(row["response_ids"]) for row in rows), dtype=torch.float64)

    loss = formulas.ranking_loss(rewards, batch["pairs"], n_prompts=len(rows))

    assert float(loss) == pytest.approx(slow_loss(rewards.tolist(), rows), abs=1e-6)


def test_a_judgment_weighs_as_given_also_where_it_is_its_prompts_only_one() -> None:
    """Two prompts, one judgment each: the gradient of the doubted one is a tenth of the other's."""
    rows = [
        rankings.ranking_row([3], [[4], [5]], [{"ranks": [1, 2], "weight": weight}])
        for weight in (1.0, 0.1)
    ]
    rewards = torch.zeros(4, dtype=torch.float64, requires_grad=True)

    batch = batches.RankingCollator(0)(rows)
    formulas.ranking_loss(rewards, batch["pairs"], n_prompts=2).backward()

    assert rewards.grad is not None
    assert float(rewards.grad[0]) == pytest.approx(-0.25, abs=1e-7)
    assert float(rewards.grad[2]) == pytest.approx(-0.025, abs=1e-7)


def test_weights_are_scaled_so_that_prompts_weigh_one_on_average() -> None:
    """Only what one judgment weighs beside another matters: half of everything changes nothing."""
    of_rows: list[list[Ranking]] = [
        [{"ranks": [1, 2, 3], "weight": 0.5}, {"ranks": [2, 1, None], "weight": 0.1}],
        [{"ranks": [1, 2, None], "weight": 0.2}],
    ]
    rows = [
        rankings.ranking_row([3], [[4], [5], [6]], rankings_of_row) for rankings_of_row in of_rows
    ]

    found = rankings.evenly_weighed(rows)

    assert found[0]["weight"] == pytest.approx([0.5 / 0.3, 0.5 / 0.3, 0.5 / 0.3, 0.1 / 0.3])
    assert found[1]["weight"] == pytest.approx([0.2 / 0.3])
    halves = [rankings.ranking_row([3], [[4], [5]], [{"ranks": [1, 2], "weight": 0.5}])] * 3
    weighed = rankings.evenly_weighed(halves)
    assert [weighed[place]["weight"] for place in range(len(weighed))] == [[1.0]] * 3


@pytest.mark.parametrize("share_prefix", [True, False])
@pytest.mark.parametrize("side", ["left", "right"])
def test_loss_and_gradient_equal_trls_over_the_same_pairs(share_prefix: bool, side: str) -> None:
    rows = [
        row | {"weight": [1.0] * len(row["winner"])} for row in random_rows(3)
    ]  # margins and ties among them
    ours, theirs = build_model(), build_model()

    batch = batches.RankingCollator(0, share_prefix, side)(rows)
    loss = formulas.ranking_loss(
        batches.rewards_of(ours, batch), batch["pairs"], n_prompts=len(rows), per="pair"
    )
    loss.backward()
    expected = trl_pairwise_loss(theirs, rows)
    expected.backward()

    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    for mine, other in zip(ppo_models.gradients(ours), ppo_models.gradients(theirs), strict=True):
        assert torch.allclose(mine, other, atol=1e-5)


def trl_pairwise_loss(
    model: LlamaForSequenceClassification, rows: list[RankingRow]
) -> torch.Tensor:
    """TRL's own RewardTrainer.compute_loss on a batch of its own collator; what it asks of its
    trainer stands in `trainer`.
    """
    examples = [
        {
            "chosen_ids": row["prompt_ids"] + row["response_ids"][winner],
            "rejected_ids": row["prompt_ids"] + row["response_ids"][loser],
            "margin": margin,
        }
        for row in rows
        for winner, loser, margin in zip(row["winner"], row["loser"], row["margin"], strict=True)
    ]
    whole = SimpleNamespace(gather=lambda found: found, gather_for_metrics=lambda found: found)
    trainer: Any = SimpleNamespace(
        model=model,
        args=SimpleNamespace(center_rewards_coefficient=None),
        accelerator=whole,
        _total_train_tokens=0,
        _tp_size=1,
        _metrics={"train": defaultdict(list)},
    )
    loss: torch.Tensor = RewardTrainer.compute_loss(
        trainer, model, DataCollatorForPreference(pad_token_id=0)(examples)
    )
    return loss


# --- packed rows ----------------------------------------------------------------------------------


def test_a_packed_response_sees_the_prompt_and_itself_only() -> None:
    segments = torch.tensor([[0, 0, 1, 1, 2, -1]])

    allowed = packed_attention.shared_prefix_mask(segments)[0, 0]

    slow = [
        [(j <= i and s != -1 and s in (0, q)) or i == j for j, s in enumerate(segments[0])]
        for i, q in enumerate(segments[0])
    ]
    assert allowed.tolist() == [[bool(cell) for cell in row] for row in slow]


def test_rewards_do_not_depend_on_packing_padding_or_company() -> None:
    model, rows = build_model().eval(), random_rows(7)

    with torch.no_grad():
        ways = [
            batches.rewards_of(model, batches.RankingCollator(0, share, side)(rows))
            for share, side in itertools.product([True, False], ["left", "right"])
        ]
        alone = torch.cat(
            [batches.rewards_of(model, batches.RankingCollator(0)([row])) for row in rows]
        )

    for rewards in ways:
        assert torch.allclose(rewards, alone, atol=1e-5)


def test_a_pad_token_inside_a_response_does_not_move_the_reading_point() -> None:
    """A model whose pad token is its end-of-turn token would otherwise be read one token early."""
    model = build_model().eval()
    row: RankingRow = {
        "prompt_ids": [5, 6],
        "response_ids": [[7, 0], [8, 9, 0]],
        "winner": [0],
        "loser": [1],
        "weight": [1.0],
        "margin": [0.0],
        "about": [],
    }

    with torch.no_grad():
        rewards = batches.rewards_of(model, batches.RankingCollator(0)([row]))
        hidden = model.model(input_ids=torch.tensor([[5, 6, 7, 0]])).last_hidden_state

    assert float(rewards[0]) == pytest.approx(
        float(model.score(hidden)[0, -1, 0].detach()), abs=1e-5
    )


def test_a_margin_histogram_counts_every_pair_once() -> None:
    margins = [-1.0, -0.9, 0.5, 1.0, 3.0]

    found = pair_results.PairResults(margins, [0] * 5, [], []).margin_histogram(4)

    assert found == [
        {"margin": -0.5, "n": 2},
        {"margin": 0.5, "n": 1},
        {"margin": 1.5, "n": 1},
        {"margin": 2.5, "n": 1},
    ]
    assert pair_results.PairResults([2.0], [0], [], []).margin_histogram(2) == [
        {"margin": 2.5, "n": 1},
        {"margin": 3.5, "n": 0},
    ]
    assert pair_results.PairResults([], [], [], []).margin_histogram() == []


def test_an_architecture_with_a_window_cannot_share_a_prefix() -> None:
    shape: dict[str, Any] = {
        "vocab_size": 16,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_labels": 1,
    }
    model = MistralForSequenceClassification(
        MistralConfig(**shape, num_key_value_heads=2, pad_token_id=0, sliding_window=4096)
    )

    assert not batches.can_share_prefix(model)


def test_this_architecture_can_share_a_prefix() -> None:
    assert batches.can_share_prefix(build_model())


def test_a_batch_without_a_decided_pair_has_no_loss_and_no_gradient() -> None:
    model = build_model()
    row = rankings.ranking_row([3], [[4], [5]], [{"ranks": [1, 1]}])
    batch = batches.RankingCollator(0)([row])

    loss = formulas.ranking_loss(batches.rewards_of(model, batch), batch["pairs"], n_prompts=1)
    loss.backward()

    assert float(loss.detach()) == 0.0
    assert all(float(p.grad.abs().max()) == 0.0 for p in model.parameters() if p.grad is not None)


# --- training -------------------------------------------------------------------------------------


class StubTokenizer:
    """Just what the Trainer asks of a tokenizer when it neither tokenises nor saves."""

    pad_token_id = 0
    eos_token_id = 2
    padding_side = "right"

    def save_pretrained(self, *args: object, **kwargs: Any) -> None:
        return None


def rule_rows(n: int, seed: int) -> list[RankingRow]:
    """Responses that end in a higher token are better: a rule two layers can learn."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        responses = [[draw.randint(3, 100) for _ in range(3)] for _ in range(4)]
        ranks = [sorted(r[-1] for r in responses)[::-1].index(r[-1]) + 1 for r in responses]
        rows.append(rankings.ranking_row([3, 4], responses, [{"ranks": ranks}]))
    return rows


def trainer_for(
    model: torch.nn.Module, folder: object, rows: list[RankingRow], **changes: Any
) -> reward_trainer.RankingTrainer:
    settings: dict[str, Any] = {
        "per_device_train_batch_size": 4,
        "learning_rate": 3e-3,
        "num_train_epochs": 1,
        "seed": 1,
        "report_to": "none",
    }
    settings |= {
        "use_cpu": True,
        "logging_steps": 5,
        "save_strategy": "no",
        "disable_tqdm": True,
        "lr_scheduler_type": "constant",
    }
    args = reward_trainer.RankingArguments(output_dir=str(folder), **(settings | changes))
    return reward_trainer.RankingTrainer(
        model,
        args,
        processing_class=cast("PreTrainedTokenizerBase", StubTokenizer()),
        train_dataset=rows,
    )


def test_training_learns_a_rule_and_moves_every_weight(tmp_path: Path) -> None:
    model = build_model()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    held_out = rule_rows(40, seed=99)
    trainer = trainer_for(model, tmp_path, rule_rows(200, seed=1), num_train_epochs=2)
    at_first = trainer.pair_results(held_out).summary()

    trainer.train()

    after = trainer.pair_results(held_out).summary()
    assert after["accuracy"] > max(0.8, at_first["accuracy"] + 0.2)
    assert after["accuracy_low"] < after["accuracy"] < after["accuracy_high"]
    assert [name for name, p in model.named_parameters() if torch.equal(p, before[name])] == []


def test_accumulation_equals_one_large_batch(tmp_path: Path) -> None:
    rows = rule_rows(16, seed=4)
    models = [build_model(), build_model()]

    for model, batch, steps in zip(models, [8, 2], [1, 4], strict=True):
        trainer_for(
            model,
            tmp_path,
            rows,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=steps,
        ).train()

    for a, b in zip(*(m.parameters() for m in models), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_stop_and_resume_equals_an_unbroken_run(tmp_path: Path) -> None:
    rows = rule_rows(40, seed=2)
    whole, broken = build_model(), build_model()
    trainer_for(whole, tmp_path / "whole", rows, max_steps=10).train()

    trainer_for(
        broken, tmp_path / "broken", rows, max_steps=10, save_strategy="steps", save_steps=6
    ).train()
    resumed = build_model(seed=5)
    trainer_for(resumed, tmp_path / "broken", rows, max_steps=10).train(
        resume_from_checkpoint=str(tmp_path / "broken" / "checkpoint-6")
    )

    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)
