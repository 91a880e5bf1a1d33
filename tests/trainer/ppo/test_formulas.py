"""PPO's arithmetic against slow twins, hand-worked examples and the last PPOTrainer that TRL
shipped.
"""

import json
import math
from pathlib import Path

import pytest
import torch

from training.trainer.ppo import formulas

STORED = Path(__file__).parents[1] / "data" / "trl_1_12_ppo_batch.json"


def slow_gae(rewards: list[float], values: list[float], gamma: float, lam: float) -> list[float]:
    """The definition: a discounted sum of one-step errors, summed again for each t."""
    n = len(rewards)
    deltas = [
        rewards[t] + gamma * (values[t + 1] if t + 1 < n else 0.0) - values[t] for t in range(n)
    ]
    return [sum((gamma * lam) ** (u - t) * deltas[u] for u in range(t, n)) for t in range(n)]


def test_gae_by_hand() -> None:
    """r = (0, 0, 1), V = (0.5, 0.4, 0.2), γ = 1, λ = 0.5: δ = (−0.1, −0.2, 0.8), A = (−0.1 − 0.1 +
    0.2, −0.2 + 0.4, 0.8).
    """
    rewards, values = torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[0.5, 0.4, 0.2]])

    advantages, returns = formulas.gae(
        rewards, values, torch.ones(1, 3, dtype=torch.bool), gamma=1.0, lam=0.5
    )

    assert advantages[0].tolist() == pytest.approx([0.0, 0.2, 0.8], abs=1e-6)
    assert returns[0].tolist() == pytest.approx([0.5, 0.6, 1.0], abs=1e-6)


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.5), (1.0, 1.0), (0.99, 0.0)])
def test_gae_equals_its_slow_twin_at_every_length(gamma: float, lam: float) -> None:
    torch.manual_seed(0)
    rewards, values = torch.randn(4, 7, dtype=torch.float64), torch.randn(4, 7, dtype=torch.float64)
    lengths = [7, 1, 4, 6]
    mask = torch.arange(7)[None] < torch.tensor(lengths)[:, None]

    advantages, returns = formulas.gae(rewards, values, mask, gamma=gamma, lam=lam)

    for row, length in enumerate(lengths):
        expected = slow_gae(
            rewards[row, :length].tolist(), values[row, :length].tolist(), gamma, lam
        )
        assert advantages[row, :length].tolist() == pytest.approx(expected, abs=1e-12)
        assert returns[row, :length].tolist() == pytest.approx(
            [a + v for a, v in zip(expected, values[row].tolist(), strict=False)], abs=1e-12
        )
        assert not advantages[row, length:].any()
        assert not returns[row, length:].any()


def test_gae_of_long_responses_in_single_precision_equals_its_slow_twin() -> None:
    torch.manual_seed(0)
    lengths = [130, 1, 64, 65, 127]
    rewards, values = torch.randn(5, 130), torch.randn(5, 130)
    mask = torch.arange(130)[None] < torch.tensor(lengths)[:, None]

    advantages, returns = formulas.gae(rewards, values, mask, gamma=1.0, lam=0.95)

    assert advantages.dtype == returns.dtype == torch.float32
    for row, length in enumerate(lengths):
        expected = slow_gae(
            rewards[row, :length].tolist(), values[row, :length].tolist(), 1.0, 0.95
        )
        assert advantages[row, :length].tolist() == pytest.approx(expected, abs=1e-6)
        assert not returns[row, length:].any()


def test_the_score_lands_on_the_last_token_and_kl_everywhere() -> None:
    kl = torch.tensor([[0.1, 0.2, 0.0], [0.3, 0.0, 0.0]])

    rewards = formulas.shaped_rewards(kl, torch.tensor([1.0, -2.0]), torch.tensor([1, 0]), beta=0.5)

    assert rewards.flatten().tolist() == pytest.approx([-0.05, 0.9, 0.0, -2.15, 0.0, 0.0])


def test_logprobs_and_entropy_equal_the_definitions() -> None:
    torch.manual_seed(1)
    logits, targets = torch.randn(5, 9, dtype=torch.float64), torch.tensor([0, 8, 3, 3, 1])

    logprobs, entropy = formulas.token_logprobs(logits, targets), formulas.token_entropy(logits)

    for row in range(5):
        weights = [math.exp(x) for x in logits[row].tolist()]
        shares = [w / sum(weights) for w in weights]
        assert float(logprobs[row]) == pytest.approx(math.log(shares[targets[row]]), abs=1e-12)
        assert float(entropy[row]) == pytest.approx(
            -sum(p * math.log(p) for p in shares), abs=1e-12
        )


def test_whitening_by_hand_and_in_parts() -> None:
    """(1, 2, 3, 4): mean 2.5, variance with n−1 = 5/3."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    halves = formulas.moments(x[:1], torch.ones(1)) + formulas.moments(x[1:], torch.ones(3))

    whitened = formulas.whiten(x, halves)

    assert whitened.tolist() == pytest.approx(
        [(v - 2.5) / math.sqrt(5 / 3) for v in (1, 2, 3, 4)], abs=1e-6
    )
    assert formulas.whiten(x, halves, shift_mean=False).mean().item() == pytest.approx(2.5)


def slow_whiten(x: list[float], weight: list[float]) -> list[float]:
    """The definition over the tokens that count, in two passes."""
    counted = [value for value, w in zip(x, weight, strict=True) if w]
    mean = sum(counted) / len(counted)
    variance = sum((value - mean) ** 2 for value in counted) / (len(counted) - 1)
    return [(value - mean) / math.sqrt(variance + 1e-8) for value in x]


@pytest.mark.parametrize("seed", range(3))
def test_whitening_equals_its_slow_twin(seed: int) -> None:
    torch.manual_seed(seed)
    x, weight = torch.randn(20, dtype=torch.float64) * 3 + 5, (torch.rand(20) > 0.3).double()

    whitened = formulas.whiten(x, formulas.moments(x, weight))

    assert whitened.tolist() == pytest.approx(slow_whiten(x.tolist(), weight.tolist()), abs=1e-9)


def test_per_token_kl_equals_its_slow_twin_and_averages_to_the_divergence() -> None:
    """log π/π_ref at the sampled token; weighed by how often each token is sampled it is the KL
    divergence by its definition.
    """
    torch.manual_seed(2)
    ours, theirs = torch.randn(9, dtype=torch.float64), torch.randn(9, dtype=torch.float64)

    def shares(logits: list[float]) -> list[float]:
        total = sum(math.exp(value) for value in logits)
        return [math.exp(value) / total for value in logits]

    p, q = shares(ours.tolist()), shares(theirs.tolist())
    found = formulas.per_token_kl(ours.log_softmax(0), theirs.log_softmax(0))

    assert found.tolist() == pytest.approx(
        [math.log(a / b) for a, b in zip(p, q, strict=True)], abs=1e-12
    )
    divergence = sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))
    assert sum(a * kl for a, kl in zip(p, found.tolist(), strict=True)) == pytest.approx(
        divergence, abs=1e-12
    )


def slow_policy_loss(new: float, old: float, advantage: float, clip: float) -> tuple[float, bool]:
    """−min(ρA, clip(ρ)A), case by case."""
    ratio = math.exp(new) / math.exp(old)
    nearest = min(max(ratio, 1 - clip), 1 + clip)
    if nearest * advantage < ratio * advantage:
        return -nearest * advantage, True
    return -ratio * advantage, False


def slow_value_loss(value: float, old: float, aim: float, clip: float) -> tuple[float, bool]:
    """Half the larger squared error, of the value and of what the clip lets it be."""
    allowed = old + clip if value > old + clip else old - clip if value < old - clip else value
    if abs(allowed - aim) > abs(value - aim):
        return (allowed - aim) ** 2 / 2, True
    return (value - aim) ** 2 / 2, False


@pytest.mark.parametrize("clip", [0.1, 0.2, 0.5])
def test_both_losses_equal_their_slow_twins(clip: float) -> None:
    torch.manual_seed(3)
    new, old, aim = torch.randn(3, 200, dtype=torch.float64).unbind()

    policy, policy_held = formulas.policy_loss(new, old, aim, clip=clip)
    value, value_held = formulas.value_loss(new, old, aim, clip=clip)

    rows = list(zip(new.tolist(), old.tolist(), aim.tolist(), strict=True))
    slow_policy = [slow_policy_loss(*row, clip) for row in rows]
    slow_value = [slow_value_loss(*row, clip) for row in rows]
    assert policy.tolist() == pytest.approx([loss for loss, _ in slow_policy], abs=1e-9)
    assert value.tolist() == pytest.approx([loss for loss, _ in slow_value], abs=1e-9)
    assert policy_held.tolist() == [held for _, held in slow_policy]
    assert value_held.tolist() == [held for _, held in slow_value]


def slow_adaptive_kl(beta: float, kls: list[float], target: float, horizon: int) -> float:
    """Ziegler 2019, §2.2, rollout by rollout of 64 episodes, its three cases written out."""
    for kl in kls:
        if kl > 1.2 * target:
            error = 0.2
        elif kl < 0.8 * target:
            error = -0.2
        else:
            error = (kl - target) / target
        beta = beta + beta * error * 64 / horizon
    return beta


def test_the_adaptive_controller_equals_its_slow_twin_over_many_rollouts() -> None:
    torch.manual_seed(4)
    kls = (torch.rand(100, dtype=torch.float64) * 12).tolist()
    beta = 0.1

    for kl in kls:
        beta = formulas.adaptive_kl(beta, kl, target=6.0, n_episodes=64, horizon=1000)

    assert beta == pytest.approx(slow_adaptive_kl(0.1, kls, 6.0, 1000), rel=1e-9)


def test_tokens_of_weight_zero_do_not_move_the_moments() -> None:
    x, weight = torch.tensor([1.0, 2.0, 99.0]), torch.tensor([1.0, 1.0, 0.0])

    assert formulas.moments(x, weight).tolist() == formulas.moments(x[:2], weight[:2]).tolist()


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "held"),
    [
        (1.0, 2.0, -2.0, False),
        (1.5, 2.0, -2.4, True),
        (1.5, -2.0, 3.0, False),
        (0.5, 2.0, -1.0, False),
        (0.5, -2.0, 1.6, True),
    ],
)
def test_the_clipped_surrogate_by_hand(
    ratio: float, advantage: float, loss: float, held: bool
) -> None:
    losses, clipped = formulas.policy_loss(
        torch.tensor([math.log(ratio)]), torch.tensor([0.0]), torch.tensor([advantage]), clip=0.2
    )

    assert float(losses) == pytest.approx(loss, abs=1e-6)
    assert bool(clipped) is held


@pytest.mark.parametrize(
    ("value", "loss", "held"),
    [(0.1, 0.405, False), (0.5, 0.32, True), (1.5, 0.32, True), (-0.5, 1.125, False)],
)
def test_the_clipped_value_loss_by_hand(value: float, loss: float, held: bool) -> None:
    """Old value 0, return 1, clip 0.2: from 0.5 the near value 0.2 has the larger error, 0.64 /
    2.
    """
    losses, clipped = formulas.value_loss(
        torch.tensor([value]), torch.tensor([0.0]), torch.tensor([1.0]), clip=0.2
    )

    assert float(losses) == pytest.approx(loss, abs=1e-6)
    assert bool(clipped) is held


@pytest.mark.parametrize(
    ("kl", "expected"),
    [
        (6.0, 0.1),
        (12.0, 0.1 * (1 + 0.2 * 0.01)),
        (5.4, 0.1 * (1 - 0.1 * 0.01)),
        (0.0, 0.1 * (1 - 0.2 * 0.01)),
    ],
)
def test_the_adaptive_controller_by_hand(kl: float, expected: float) -> None:
    assert formulas.adaptive_kl(
        0.1, kl, target=6.0, n_episodes=100, horizon=10_000
    ) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n", "kl"), [(1, 0.0), (8, 1.2044), (64, 3.1745), (512, 5.2403)])
def test_best_of_n_kl_is_stiennons_table_10(n: int, kl: float) -> None:
    assert formulas.best_of_n_kl(n) == pytest.approx(kl, abs=1e-4)


def test_explained_variance() -> None:
    def explained(values: torch.Tensor, returns: torch.Tensor) -> float:
        every = torch.ones_like(returns)
        return formulas.explained_variance(
            formulas.moments(returns - values, every), formulas.moments(returns, every)
        )

    returns, values = torch.randn(
        2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    assert explained(values, returns) == pytest.approx(
        1 - float((returns - values).var() / returns.var()), abs=1e-12
    )
    assert explained(returns, returns) == 1.0
    assert explained(torch.zeros(50), returns) == 0.0
    assert explained(returns, torch.ones(50)) == 0.0
    assert explained(torch.ones(1), torch.zeros(1)) == 0.0


def test_gae_and_losses_equal_trl_1_12_on_a_stored_batch() -> None:
    """Numbers that trl 1.12.0 wrote once, by benchmarks/fixtures/ppo/trl_1_12_batch.py."""
    stored = {
        name: torch.tensor(value, dtype=torch.float64)
        for name, value in json.loads(STORED.read_text()).items()
    }
    mask = stored["mask"].bool()

    advantages, returns = formulas.gae(
        stored["rewards"], stored["values"], mask, gamma=1.0, lam=0.95
    )
    weight = mask[mask].double()
    whitened = formulas.whiten(advantages[mask], formulas.moments(advantages[mask], weight))
    policy, policy_held = formulas.policy_loss(
        stored["new_logprobs"][mask], stored["logprobs"][mask], whitened, clip=0.2
    )
    value, value_held = formulas.value_loss(
        stored["new_values"][mask], stored["values"][mask], returns[mask], clip=0.2
    )

    assert torch.allclose(whitened, stored["advantages"][mask], atol=1e-6)
    assert torch.allclose(returns[mask], stored["returns"][mask], atol=1e-6)
    assert float(policy.mean()) == pytest.approx(float(stored["policy_loss"]), abs=1e-6)
    assert float(value.mean()) == pytest.approx(float(stored["value_loss"]), abs=1e-6)
    assert float(policy_held.double().mean()) == pytest.approx(
        float(stored["policy_clip_fraction"]), abs=1e-9
    )
    assert float(value_held.double().mean()) == pytest.approx(
        float(stored["value_clip_fraction"]), abs=1e-9
    )


# --- tokens that another engine drew --------------------------------------------------------------


def slow_truncated_ratio(ours: float, theirs: float, cap: float) -> tuple[float, bool]:
    """Probability by probability, as Espeholt 2018 writes ρ̄."""
    if math.isnan(theirs):
        return 1.0, False
    ratio = math.exp(ours) / math.exp(theirs)
    return (cap, True) if ratio > cap else (ratio, False)


def test_the_truncated_ratio_by_hand() -> None:
    """π = (0.5, 0.1, 0.9, 0.3), μ = (0.25, 0.2, 0.2, unknown), C = 3."""
    policy, engine = torch.tensor([0.5, 0.1, 0.9, 0.3]), torch.tensor([0.25, 0.2, 0.2, math.nan])

    weights, is_capped = formulas.truncated_ratio(policy.log(), engine.log(), clip_max=3.0)

    assert weights.tolist() == pytest.approx([2.0, 0.5, 3.0, 1.0])
    assert is_capped.tolist() == [False, False, True, False]


@pytest.mark.parametrize("cap", [1.0, 1.7, 3.0])
def test_the_truncated_ratio_equals_its_slow_twin(cap: float) -> None:
    torch.manual_seed(0)
    ours, theirs = -torch.rand(2, 500, dtype=torch.float64) * 5
    theirs[::50] = math.nan

    weights, is_capped = formulas.truncated_ratio(ours, theirs, clip_max=cap)

    expected = [
        slow_truncated_ratio(one, other, cap)
        for one, other in zip(ours.tolist(), theirs.tolist(), strict=True)
    ]
    assert weights.tolist() == pytest.approx([ratio for ratio, _ in expected], rel=1e-12)
    assert is_capped.tolist() == [is_at_cap for _, is_at_cap in expected]
