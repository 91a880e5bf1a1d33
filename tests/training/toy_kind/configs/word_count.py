"""Settings of a word count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from knobs.fields import knob
from training.configs import metrics
from training.configs.cost import sizes
from training.configs.cost.sizes import Inputs
from training.configs.curves import Chart
from training.configs.knobs import Settings
from training.configs.metrics import SHARE, Measure, _

_DRY_RUN_PROMPTS = 2


@dataclass(frozen=True)
class WordCountConfig(Settings):
    """Counts the words of prompts, and changes nothing."""

    kind: ClassVar[str] = "word-count"
    label: ClassVar[str] = _("word count")
    menu: ClassVar[str] = _("Count words")
    snapshots: ClassVar[tuple[str, ...]] = ("prompts",)
    snapshot_label: ClassVar[str] = _("Prompts to count")
    snapshot_heading: ClassVar[str] = _("Counts")
    leaves: ClassVar[str] = ""
    headlines: ClassVar[tuple[str, ...]] = ("n_words", "short")
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("n_words", _("words in all")),
        Measure("short", _("short words"), SHARE),
        *metrics.MACHINE,
    )
    charts: ClassVar[tuple[Chart, ...]] = (Chart(_("Length"), _("words"), {"words": _("prompt")}),)

    short_below: int = knob(
        4,
        _("Short below"),
        _("A word with fewer letters counts as short."),
        unit=_("letters"),
        min=2,
        max=40,
    )
    max_prompts: int | None = knob(
        None,
        _("Max prompts"),
        _("Leave empty to count all prompts."),
        unit=_("prompts"),
        min=1,
        max=10_000_000,
    )

    @classmethod
    def presets(cls) -> Mapping[str, Self]:
        return {"small": cls(max_prompts=20), "balanced": cls(), "thorough": cls()}

    def for_dry_run(self) -> Self:
        return replace(self, max_prompts=_DRY_RUN_PROMPTS)

    def work(self, rows: sizes.Rows, inputs: Inputs) -> tuple[int, int]:
        n_prompts = min(rows.n_prompts, self.max_prompts or rows.n_prompts)
        return n_prompts, round(n_prompts * rows.prompt_tokens)
