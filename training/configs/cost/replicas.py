"""How the cards of a run's vLLM server are shared out: a whole copy of the model on each card, and
tensor parallelism only where a copy does not fit on one. Standard library only.
"""

from dataclasses import dataclass

from knobs.fields import Problem, _
from training.configs.cost.sizes import GIB, OVERHEAD_BYTES, Shape

SHARE_OF_A_CARD = 0.9
"""What vLLM takes of each card (gpu_memory_utilization of TRL's command)."""
SEQUENCES_AT_ONCE = 16
"""With room in the cache for fewer of full length, a card would mostly wait for its memory."""


class UnableToReplicate(Exception):
    """The model cannot be served on these cards; the text is a sentence."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


@dataclass(frozen=True)
class Replicas:
    """vLLM's data_parallel_size and tensor_parallel_size."""

    n_copies: int
    cards_each: int


def replicas(
    shape: Shape | None, *, n_cards: int, card_gb: float, max_tokens: int, precision: int = 2
) -> Replicas:
    """The most copies of the model that the cards hold. `precision`: bytes of a weight. A model or
    a card of unknown size (None, 0) counts as one that fits. Raises UnableToReplicate.
    """
    if shape is None or not card_gb:
        return Replicas(n_cards, 1)
    room = card_gb * GIB * SHARE_OF_A_CARD
    sizes = [n for n in range(1, n_cards + 1) if n_cards % n == 0 and divides(shape, n)]
    for n in sizes:
        if memory(shape, n, max_tokens=max_tokens, precision=precision) <= room:
            return Replicas(n_cards // n, n)
    needed = memory(shape, sizes[-1], max_tokens=max_tokens, precision=precision) / GIB
    text = _(
        "The vLLM server has %(n)s cards of %(card)s GB, and can divide the model among %(sizes)s"
        " of them (%(heads)s attention heads, %(kv_heads)s heads for keys and values). Divided as"
        " far as that goes, a card would need %(needed)s GB of the %(room)s GB that vLLM may take."
        " Change the number of GPUs beyond the processes, or ask for as many GPUs as processes to"
        " do without vLLM."
    )
    values = {
        "n": n_cards,
        "card": f"{card_gb:.3g}",
        "sizes": " / ".join(map(str, sizes)),
        "heads": shape.n_heads,
        "kv_heads": shape.n_kv_heads,
        "needed": f"{needed:.3g}",
        "room": f"{room / GIB:.3g}",
    }
    raise UnableToReplicate(Problem("n_gpus", text, values))


def divides(shape: Shape, n: int) -> bool:
    """Whether vLLM can divide the model among `n` cards: its heads, and the width between its
    layers, in equal parts. Keys and values are divided, or copied where there are more cards
    than heads for them (vLLM 0.31, QKVParallelLinear).
    """
    if n == 1:
        return True
    if not (shape.n_heads and shape.n_kv_heads):
        return False
    shares_keys = shape.n_kv_heads % n == 0 or n % shape.n_kv_heads == 0
    return shape.n_heads % n == 0 and shares_keys and shape.inner % n == 0


def memory(shape: Shape, cards_each: int, *, max_tokens: int, precision: int) -> float:
    """Bytes on each card: its part of the weights, and the cache of `SEQUENCES_AT_ONCE`."""
    weights = shape.n_parameters * precision / cards_each
    divided = min(cards_each, shape.n_kv_heads or 1)
    a_token = shape.n_layers * 2 * shape.kv_width * precision / divided
    return weights + SEQUENCES_AT_ONCE * max_tokens * a_token + OVERHEAD_BYTES
