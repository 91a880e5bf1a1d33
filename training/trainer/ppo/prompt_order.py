"""Which prompts a step uses. It depends only on the seed and the step, so checkpoints don't store
it.
"""

import random


def shuffled(n: int, seed: int | str, epoch: int) -> list[int]:
    order = list(range(n))
    random.Random(f"{seed} {epoch}").shuffle(order)  # noqa: S311
    return order


def of_step(step: int, *, batch_size: int, n_prompts: int, seed: int) -> list[int]:
    """The prompts of one step, for all processes together. Every pass over the prompts has its own
    order.
    """
    chosen: list[int] = []
    place, end = step * batch_size, (step + 1) * batch_size
    while place < end:  # shuffles once for all that this pass gives
        epoch, offset = divmod(place, n_prompts)
        chosen += shuffled(n_prompts, seed, epoch)[offset : offset + end - place]
        place = step * batch_size + len(chosen)
    return chosen
