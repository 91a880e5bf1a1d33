"""Raters write the answer to a prompt themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from knobs.fields import Problem, knob
from labeling.kinds.choices import Answer, Kind
from labeling.kinds.settings import CampaignSettings


@dataclass(frozen=True, kw_only=True)
class DemonstrationSettings(CampaignSettings):
    kind = Kind.DEMONSTRATION
    label = Kind.DEMONSTRATION.label
    answer = Answer.DEMONSTRATION
    desk = "labeling/desk/answer/_write.html"
    shapes = ("demonstrations", "dialogues", "prompts", "label_studio_texts", "argilla_texts")

    asks_dialogue: bool = knob(
        False,
        _("full dialogue"),
        _(
            "Raters can continue after the answer: they write the user's next turn and the reply to"
            " it, as often as they like."
        ),
        api="Demonstrations only: raters can continue after the answer, turn by turn.",
    )
    min_words: int = knob(
        20,
        _("minimum words"),
        _("Raters are asked to confirm a shorter answer before it is saved."),
        min=0,
        max=1_000_000,
        while_open=True,
        api="Demonstrations only.",
    )
    max_words: int = knob(
        600,
        _("maximum words"),
        _("Raters are asked to confirm a longer answer before it is saved."),
        min=0,
        max=1_000_000,
        while_open=True,
        api="Demonstrations only.",
    )

    def problems(self) -> Iterator[Problem]:
        if self.min_words > self.max_words:
            yield Problem("max_words", _("Maximum words must not be lower than minimum words."))
        yield from super().problems()
