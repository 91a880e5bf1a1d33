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
    averaged and prompts count the same, so that a ranking of nine does not outweigh a ranking of
    two. The divisor is the number of pairs that were *kept*, not K(K−1)/2 (the paper leaves it open
    once ties are dropped). With per="pair" every pair counts the same, as in TRL. Weights multiply
    the pairs and do not change the divisor: a prompt that only a doubtful rater judged counts less.
    Scale them to a mean of 1 (`rankings.evenly_weighed`). A batch without a decided pair has loss 0
    and still a gradient path.
    """
    weight = pairs.weight.to(rewards.dtype)  # (P,)
    differences = rewards[pairs.winner] - rewards[pairs.loser] - pairs.margin  # (P,)
    losses = -functional.logsigmoid(differences) * weight  # (P,)
    if per == "pair":
        return losses.sum() / max(1, len(losses)) + 0.0 * rewards.sum()
    sums = losses.new_zeros(n_prompts).index_add(0, pairs.prompt, losses)  # (N,)
    counts = torch.bincount(pairs.prompt, minlength=n_prompts)  # (N,)
    means = sums / counts.clamp_min(1)
    return means.sum() / max(1, int((counts > 0).sum())) + 0.0 * rewards.sum()
