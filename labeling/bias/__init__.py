"""What choices depend on besides quality, and which raters to review: pure formulas, no Django, no
database.
"""

from labeling.bias.flagging import (
    SENTENCES,
    THRESHOLDS,
    Flag,
    Kind,
    Rankings,
    Thresholds,
    flags,
    minutes_in_sitting,
)
from labeling.bias.habits import (
    LENGTH_MARGIN,
    POSITION,
    Choices,
    Effect,
    LengthControlled,
    Longer,
    Share,
    Swaps,
    choices,
    gap,
    length_controlled,
    longer,
    share,
    swaps,
)
from labeling.bias.looks import SIGHTS, Features, Looks, differences, features, looks
from labeling.bias.slopes import slope_by_rater
from labeling.bias.wording import BOOSTERS, CONFIDENCE_MARGIN, HEDGES, confidence, surer

__all__ = [
    "BOOSTERS",
    "CONFIDENCE_MARGIN",
    "HEDGES",
    "LENGTH_MARGIN",
    "POSITION",
    "SENTENCES",
    "SIGHTS",
    "THRESHOLDS",
    "Choices",
    "Effect",
    "Features",
    "Flag",
    "Kind",
    "LengthControlled",
    "Longer",
    "Looks",
    "Rankings",
    "Share",
    "Swaps",
    "Thresholds",
    "choices",
    "confidence",
    "differences",
    "features",
    "flags",
    "gap",
    "length_controlled",
    "longer",
    "looks",
    "minutes_in_sitting",
    "share",
    "slope_by_rater",
    "surer",
    "swaps",
]
