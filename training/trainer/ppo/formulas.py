"""The arithmetic of PPO for language models: pure functions over tensors, each with a slow twin in
the tests.

Sources: Schulman 2016 (GAE, arXiv 1506.02438), Schulman 2017 (PPO, 1707.06347), Ziegler 2019 (KL
penalty and its controller, 1909.08593), Ouyang 2022 (InstructGPT, 2203.02155, App. C). Shapes: B
sequences, T response positions, N response tokens in a row.
"""

import torch
from torch import Tensor
from torch.nn import functional


def token_logprobs(logits: Tensor, targets: Tensor) -> Tensor:
    """log p(target) for each row: (N, V), (N,) → (N,), without a second (N, V) tensor."""
    return logits.gather(-1, targets[:, None])[:, 0] - torch.logsumexp(logits, dim=-1)


def token_entropy(logits: Tensor) -> Tensor:
    """Entropy in nats of each row's distribution: (N, V) → (N,)."""
    return torch.logsumexp(logits, dim=-1) - torch.linalg.vecdot(logits.softmax(dim=-1), logits)


def per_token_kl(logprobs: Tensor, reference_logprobs: Tensor) -> Tensor:
    """log π(a|s) − log π_ref(a|s) at the sampled token: unbiased for the KL in nats, and the
    penalty of Ziegler 2019, §2.
    """
    return logprobs - reference_logprobs


def shaped_rewards(kl: Tensor, scores: Tensor, ends: Tensor, *, beta: float) -> Tensor:
    """−β·KL at every token, plus the score at each sequence's last token: (B, T), (B,), (B,) → (B,
    T).
    """
    rewards = -beta * kl
    return rewards.scatter_add(1, ends[:, None], scores[:, None].to(rewards.dtype))


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman 2016, eq. 16): advantages and returns, (B, T)
    each, 0 where `mask` is False.

    `values[:, t]` is V before token t. `mask` is True up to each sequence's last token. Nothing
    behind it contributes: its next value is 0.
    """
    values, rewards = values * mask, rewards * mask
    following = functional.pad(values[:, 1:], (0, 1))
    deltas = rewards.double() + gamma * following.double() - values.double()
    advantages = _discounted_sums(deltas, gamma * lam).to(values.dtype)
    return advantages, advantages + values


def _discounted_sums(x: Tensor, discount: float) -> Tensor:
    """Σ discount^(u − t) · x_u over u ≥ t, for every t: (B, T) → (B, T). Each turn joins two sums
    of n terms to one of 2n, so there are log₂ T turns.
    """
    n = 1
    while n < x.shape[1]:
        x = x + discount**n * functional.pad(x[:, n:], (0, n))
        n *= 2
    return x


def moments(x: Tensor, weight: Tensor) -> Tensor:
    """(3,): Σw, Σw·x, Σw·x². Sums, so that the moments of several processes add up."""
    x, weight = x.double(), weight.double()
    return torch.stack([weight.sum(), (weight * x).sum(), (weight * x * x).sum()])


def mean_of(sums: Tensor) -> Tensor:
    """Mean from summed `moments`; 0 if empty."""
    return sums[1] / sums[0].clamp_min(1)


def variance_of(sums: Tensor) -> Tensor:
    """Variance from summed `moments`, with Bessel's correction."""
    n = sums[0]
    return (sums[2] / n.clamp_min(1) - mean_of(sums) ** 2).clamp_min(0) * n / (n - 1).clamp_min(1)


def whiten(x: Tensor, sums: Tensor, *, shift_mean: bool = True) -> Tensor:
    """x to mean 0 and variance 1 by the `moments` of the *whole* batch; the variance with Bessel's
    correction, as TRL's.
    """
    whitened = (x - mean_of(sums)) * (variance_of(sums) + 1e-8) ** -0.5
    return whitened if shift_mean else whitened + mean_of(sums)


def policy_loss(
    logprobs: Tensor, old_logprobs: Tensor, advantages: Tensor, *, clip: float
) -> tuple[Tensor, Tensor]:
    """PPO's clipped surrogate (Schulman 2017, eq. 7), negated: per-token losses, and which of them
    were clipped.
    """
    ratio = torch.exp(logprobs - old_logprobs)
    free, held = -advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(free, held), held > free


def truncated_ratio(
    logprobs: Tensor, sampling_logprobs: Tensor, *, clip_max: float
) -> tuple[Tensor, Tensor]:
    """Truncated importance sampling (Ionides 2008; Espeholt 2018, eq. 1) of tokens that another
    engine drew: min(π(a) / μ(a), C), its weight in the policy's loss, and which were truncated.

    A token whose probability under μ is not known (NaN) weighs 1.
    """
    ratio = (logprobs - sampling_logprobs).nan_to_num(nan=0.0).exp()
    return ratio.clamp(max=clip_max), ratio > clip_max


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, *, clip: float
) -> tuple[Tensor, Tensor]:
    """Half the larger of the squared errors with and without clipping V to ±clip of its old value;
    and which were clipped.
    """
    near = values.clamp(
        old_values - clip, old_values + clip
    )  # exactly V within: rounding would count as clipped
    free, held = (values - returns) ** 2, (near - returns) ** 2
    return 0.5 * torch.maximum(free, held), held > free


def adaptive_kl(beta: float, kl: float, *, target: float, n_episodes: int, horizon: int) -> float:
    """Ziegler 2019, §2.2: β·(1 + clip(KL/target − 1, ±0.2)·n/horizon), KL in nats per sequence."""
    error = min(max(kl / target - 1, -0.2), 0.2)
    return beta * (1 + error * n_episodes / horizon)


def explained_variance(errors: Tensor, returns: Tensor) -> float:
    """1 − Var(returns − values) / Var(returns), of the `moments` of both: 1 is perfect, 0 no better
    than the mean.

    0 when returns do not vary.
    """
    spread = variance_of(returns)
    explained = 1 - variance_of(errors) / spread
    return float(torch.where(spread > 0, explained, torch.zeros_like(spread)))


def best_of_n_kl(n: int) -> float:
    """KL in nats of the best of n samples from what they were drawn from: log n − (n − 1)/n
    (Stiennon 2020, App. G).
    """
    return float(torch.log(torch.tensor(float(n), dtype=torch.float64))) - (n - 1) / n
