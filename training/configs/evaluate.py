"""Settings of an evaluation."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from training.configs.knobs import OPTIONAL, Problem, Settings, _, knob

_REHEARSED_ROWS = 4


@dataclass(frozen=True)
class EvaluateConfig(Settings):
    """Measures a model and changes nothing.

    On demonstrations: the loss of a language model. On comparisons: how often a reward model agrees
    with the raters. With a reward model: the mean reward of fresh responses, and against another
    model how often the better one is ours.
    """

    snapshots: ClassVar[tuple[str, ...]] = ("demonstrations", "comparisons", "prompts")
    starts_from: ClassVar[tuple[str, ...]] = ("policy", "reward")
    leaves: ClassVar[str] = ""
    reward_model: ClassVar[str] = OPTIONAL
    other_model: ClassVar[str] = OPTIONAL

    split: str = knob(
        "held_out",
        _("Rows"),
        _(
            "Those that trained tell how much was learned by heart; held-out ones how good the"
            " model is."
        ),
        choices={
            "held_out": _("held out: validation, else test"),
            "test": _("test"),
            "train": _("train"),
            "all": _("all"),
        },
    )
    max_rows: int | None = knob(
        500,
        _("At most"),
        _("So many rows, drawn by the seed. Empty: all."),
        unit=_("rows"),
        min=1,
        max=10_000_000,
    )
    max_tokens: int = knob(
        1024,
        _("Longest row"),
        _("Prompt and response together. What is longer is cut or left out, counted and said."),
        unit=_("tokens"),
        min=16,
        max=131072,
    )
    batch_size: int = knob(
        16,
        _("Batch"),
        _("Rows computed at once. Lower it when memory runs out."),
        unit=_("rows"),
        min=1,
        max=4096,
    )
    max_new_tokens: int = knob(
        256,
        _("Longest response"),
        _("Where a response is cut off if it has not ended."),
        unit=_("tokens"),
        min=1,
        max=32768,
    )
    temperature: float = knob(
        1.0,
        _("Temperature"),
        _("Of the responses that are rewarded. 0: always the likeliest word."),
        min=0.0,
        max=5.0,
    )
    top_p: float = knob(
        1.0,
        _("Top-p"),
        _("Draw from the likeliest words that together have this share."),
        min=0.01,
        max=1.0,
        is_advanced=True,
    )
    n_shown: int = knob(
        20,
        _("Samples shown"),
        _("How many of the responses appear on the run's page."),
        min=0,
        max=200,
        is_advanced=True,
    )

    def rehearsed(self) -> Self:
        return replace(
            self, max_rows=min(self.max_rows or _REHEARSED_ROWS, _REHEARSED_ROWS), batch_size=2
        )

    def problems(self) -> list[Problem]:
        if self.max_new_tokens >= self.max_tokens:
            sentence = (
                f"A response of {self.max_new_tokens} tokens leaves no room for its prompt in a row"
                f" of {self.max_tokens}. Raise the longest row."
            )
            return [Problem("max_tokens", sentence)]
        return []


# Minutes on two CPU cores; one GPU; everything there is.
PRESETS: dict[str, EvaluateConfig] = {
    "small": EvaluateConfig(max_rows=40, max_tokens=256, batch_size=8, max_new_tokens=48),
    "balanced": EvaluateConfig(),
    "thorough": EvaluateConfig(max_rows=None, max_tokens=2048, max_new_tokens=1024),
}
