"""A reward model's results on held-out pairs: accuracy, calibration and margins. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from arithmetic import intervals


@dataclass(frozen=True)
class PairResults:
    """A reward model's results on held-out pairs. `margins` is r_winner − r_loser for each decided
    pair.
    """

    margins: list[float]
    prompts: list[int]
    rewards: list[float]
    lengths: list[int]

    def summary(self) -> dict[str, float]:
        """Accuracy, log-loss, mean margin, and correlation of reward with length in tokens.

        The ends of the accuracy's interval over prompts are left out with too few prompts.
        """
        n = len(self.margins)
        scores = [rightness(margin) for margin in self.margins]
        ends = intervals.of_votes(scores, self.prompts)
        log_loss = sum(math.log1p(math.exp(-abs(m))) + max(0.0, -m) for m in self.margins)
        return {
            "pairs": n,
            "accuracy": sum(scores) / n if n else 0.5,
            **({"accuracy_low": ends[0], "accuracy_high": ends[1]} if ends else {}),
            "log_loss": log_loss / n if n else math.log(2),
            "margin": sum(self.margins) / n if n else 0.0,
            "reward_length_correlation": correlation(
                self.rewards, [float(length) for length in self.lengths]
            ),
        }

    def margin_histogram(self, n_bins: int = 20) -> list[dict[str, float]]:
        """Histogram of margins, in bins of equal width. A pair below 0 is in the wrong order."""
        if not self.margins:
            return []
        low, high = min(self.margins), max(self.margins)
        width = (high - low) / n_bins or 1.0
        counts = [0] * n_bins
        for margin in self.margins:
            counts[min(n_bins - 1, int((margin - low) / width))] += 1
        return [{"margin": low + (number + 0.5) * width, "n": n} for number, n in enumerate(counts)]

    def calibration(self, n_bins: int = 10) -> list[dict[str, float]]:
        """Predicted against observed: among pairs with probability p for the likelier order, how
        often that order was right.
        """
        bins: list[list[tuple[float, float]]] = [[] for _ in range(n_bins)]
        for margin in self.margins:
            sure = 1 / (1 + math.exp(-abs(margin)))  # 0.5 … 1
            bins[min(n_bins - 1, int((sure - 0.5) * 2 * n_bins))].append((sure, rightness(margin)))
        return [
            {
                "predicted": sum(p for p, _ in members) / len(members),
                "observed": sum(hit for _, hit in members) / len(members),
                "n": len(members),
            }
            for members in bins
            if members
        ]


def rightness(margin: float) -> float:
    """1 if the pair is in the raters' order, 0 if it is not, one half if both responses have the
    same reward.
    """
    return 1.0 if margin > 0 else 0.5 if margin == 0 else 0.0


def correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Pearson's r; 0 when either side is constant."""
    if len(a) < 2:
        return 0.0
    x, y = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    x, y = x - x.mean(), y - y.mean()
    size = float(x.norm() * y.norm())
    return float(x @ y) / size if size else 0.0
