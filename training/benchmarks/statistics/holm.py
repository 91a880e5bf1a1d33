"""P-values of several tests at once."""

from collections.abc import Sequence


def adjusted(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values (1979), in the same order. None, a test that could not be done, is
    not counted.

    Calling all with at most .05 different, the chance that any of the calls is false is at most
    .05, however the tests hang together.
    """
    done = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted_ps: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(done):
        highest = max(highest, min(1.0, (len(done) - rank) * p))
        adjusted_ps[place] = highest
    return adjusted_ps
