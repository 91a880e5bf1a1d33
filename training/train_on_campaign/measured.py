"""How often each method's model won in our own comparison of methods (benchmarks/methods.py), so
that a page can say why it recommends one. Figures of benchmarks/results/methods.json.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """The win rate against the first model, with its 95 % interval over prompts, and the KL to that
    model in nats per response.
    """

    win_rate: float
    low: float
    high: float
    kl: float


METHODS = {
    "sft": Measured(0.637, 0.573, 0.698, 30.37),
    "dpo": Measured(0.598, 0.533, 0.659, 1.2),
    "kto": Measured(0.575, 0.51, 0.637, 0.63),
}
"""By kind of run; `sft` learned from the response that each ranking prefers."""
