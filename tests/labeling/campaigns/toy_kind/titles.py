"""Raters write a title for a prompt."""

from dataclasses import dataclass

from knobs.fields import override
from labeling.kinds.choices import Answer
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.kinds.settings import CampaignSettings


@dataclass(frozen=True, kw_only=True)
class TitleSettings(CampaignSettings):
    kind = "title"
    label = "write titles"
    answer = Answer.DEMONSTRATION
    usual_overlap = 2
    desk = "toy_kind/_title.html"
    shapes = ("demonstrations", "prompts")

    min_words: int = override(DemonstrationSettings, "min_words", default=1)
    max_words: int = override(DemonstrationSettings, "max_words")
