"""InstructGPT's reward loss over the decided pairs of a batch. Pure."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Pairs:
    """Decided pairs of a batch, as indices into its flat list of responses; all (P,)."""

    winner: Tensor
    loser: Tensor
    prompt: Tensor
    weight: Tensor
    margin: Tensor

    def to(self, device: torch.device) -> "Pairs":
        return Pairs(
            *(
                tensor.to(device)
                for tensor in (self.winner, self.loser, self.prompt, self.weight, self.margin)
            )
        )


def ranking_loss(rewards: Tensor, pairs: Pairs, *, n_prompts: int, per: str = "prompt") -> Tensor:
    """InstructGPT's reward loss (Ouyang 2022, §3.5): −log σ(r_winner − r_loser − margin) over all
    pairs of a prompt.

    `rewards` is (R,), all responses of the batch. With per="prompt" each prompt's pairs are
    averaged, by weight, and prompts count the same, so that a ranking of nine does not outweigh a
    ranking of two. The divisor is the weight of the pairs that were *kept*, not K(K−1)/2 (the paper
    leaves it open once ties are dropped). With per="pair" every pair counts the same, as in TRL. A
    batch without a decided pair has loss 0 and still a gradient path.
    """
    weight = pairs.weight.to(rewards.dtype)  # (P,)
    differences = rewards[pairs.winner] - rewards[pairs.loser] - pairs.margin  # (P,)
    losses = -functional.logsigmoid(differences) * weight  # (P,)
    if per == "pair":
        return losses.sum() / weight.sum().clamp_min(torch.finfo(losses.dtype).tiny)
    sums = losses.new_zeros(n_prompts).index_add(0, pairs.prompt, losses)  # (N,)
    weights = losses.new_zeros(n_prompts).index_add(0, pairs.prompt, weight)  # (N,)
    decided = weights > 0
    means = torch.where(decided, sums / weights.clamp_min(torch.finfo(losses.dtype).tiny), sums)
    return means.sum() / max(1, int(decided.sum())) + 0.0 * rewards.sum()
