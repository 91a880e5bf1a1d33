"""Confidence intervals. Plain arithmetic: the training process reads it too."""

import math

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % quantile: a two-sided interval of 95 %."""


def wilson(score: float, n: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval (1927) of `score` of `n`; halves are allowed. (0, 1) when n is 0."""
    if n <= 0:
        return 0.0, 1.0
    share, square = score / n, z * z / n
    centre = (share + square / 2) / (1 + square)
    # Rounding can take a share a hair below 0 or above 1.
    spread = max(share * (1 - share), 0.0)
    reach = z * math.sqrt(spread / n + square / (4 * n)) / (1 + square)
    return max(0.0, centre - reach), min(1.0, centre + reach)
