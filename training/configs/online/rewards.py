"""The rewards that a run can mix: a reward model, and rules. Each has its weight, its curve and its
line here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from knobs.fields import Problem, knob
from training.configs.curves import Chart
from training.configs.knobs import Row, Section
from training.configs.metrics import SHARE, Measure, _

EXACT, CONTAINS, NUMBER, PATTERN = "exact", "contains", "number", "pattern"
FORMAT, LENGTH, REFUSAL = "format", "length", "refusal"
MODEL = "model"
SENTENCE, JSON, LIST = "sentence", "json", "list"
WITH_REFERENCE = (EXACT, CONTAINS, NUMBER)
"""The rules that compare with a reference answer."""


@dataclass(frozen=True)
class _About:
    """`fields`: the settings beside its weight."""

    words: str
    help: str
    fields: tuple[str, ...] = ()


ABOUT: Mapping[str, _About] = {
    MODEL: _About(_("Reward model"), _("The reward model's score, if one is chosen above.")),
    EXACT: _About(
        _("Exact answer"),
        _("1 if the response is the reference answer, apart from case, spaces and marks."),
    ),
    CONTAINS: _About(
        _("Contained answer"), _("1 if the reference answer is in the response as whole words.")
    ),
    NUMBER: _About(
        _("Last number"),
        _("1 if the last number of the response is the last number of the reference answer."),
        ("number_tolerance",),
    ),
    PATTERN: _About(
        _("Pattern"), _("1 if the regular expression matches somewhere."), ("pattern",)
    ),
    FORMAT: _About(_("Format"), _("1 if the response has this form."), ("format",)),
    LENGTH: _About(
        _("Length"),
        _("1 up to this length, then less and less, and 0 from twice this length on."),
        ("max_length",),
    ),
    REFUSAL: _About(
        _("Compliance"),
        _("1 if the refusal classifier says that the response complies. In English."),
    ),
}
RULES = tuple(name for name in ABOUT if name != MODEL)


def metric(name: str) -> str:
    """Its curve, and its measure."""
    return f"reward_{name}"


MEASURES = tuple(
    Measure(metric(name), about.words, SHARE if name != MODEL else "number")
    for name, about in ABOUT.items()
)
CHARTS = tuple(
    Chart(
        about.words,
        _("mean reward, before its weight"),
        {metric(name): _("rollouts"), f"held_out_{metric(name)}": _("held out")},
        is_share=name != MODEL,
    )
    for name, about in ABOUT.items()
)
SECTION = Section(
    _("Rewards"),
    _(
        "A response earns the sum of its rewards, each times its weight. A weight of 0 leaves a"
        " reward out, and a negative one punishes. Each reward has its own chart. The reference"
        " answers are those of a snapshot of demonstrations."
    ),
    tuple(
        Row(about.words, about.help, (f"{name}_weight", *about.fields))
        for name, about in ABOUT.items()
    ),
)


def _weight(default: float, label: str) -> float:
    weight: float = knob(default, label, _("Multiplies this reward."), min=-100.0, max=100.0)
    return weight


@dataclass(frozen=True)
class RewardMix:
    """The weights and parameters of the rewards."""

    model_weight: float = _weight(1.0, _("Weight: reward model"))
    exact_weight: float = _weight(0.0, _("Weight: exact answer"))
    contains_weight: float = _weight(0.0, _("Weight: contained answer"))
    number_weight: float = _weight(0.0, _("Weight: number"))
    number_tolerance: float = knob(
        0.0, _("Tolerance"), _("How far the number may be off."), min=0.0, max=1e12
    )
    pattern_weight: float = _weight(0.0, _("Weight: pattern"))
    pattern: str | None = knob(
        None,
        _("Regular expression"),
        _("As RE2 reads it, so without look-around and back-references."),
        max=500,
    )
    format_weight: float = _weight(0.0, _("Weight: format"))
    format: str = knob(
        SENTENCE,
        _("Wanted form"),
        _("What the whole response must be."),
        choices={
            SENTENCE: _("Ends with a whole sentence"),
            JSON: _("JSON and nothing else"),
            LIST: _("A list: each line begins with a bullet or a number"),
        },
    )
    length_weight: float = _weight(0.0, _("Weight: length"))
    max_length: int = knob(
        100, _("Length"), _("Longer responses earn less."), unit=_("tokens"), min=1, max=16384
    )
    refusal_weight: float = _weight(0.0, _("Weight: compliance"))

    @property
    def weights(self) -> dict[str, float]:
        """Of the rewards that count, by name."""
        weights = {name: float(getattr(self, f"{name}_weight")) for name in ABOUT}
        return {name: weight for name, weight in weights.items() if weight}

    @property
    def patterns(self) -> tuple[str, ...]:
        return (self.pattern,) if self.pattern and self.pattern_weight else ()

    @property
    def needs_reference(self) -> bool:
        return any(name in self.weights for name in WITH_REFERENCE)

    def mix_problems(self) -> list[Problem]:
        problems = []
        if not self.weights:
            text = _("Every weight is 0, so nothing is rewarded. Raise at least one.")
            problems.append(Problem("model_weight", text))
        if self.pattern_weight and not self.pattern:
            text = _("The pattern has a weight but is empty. Enter one, or set its weight to 0.")
            problems.append(Problem("pattern", text))
        return problems

    def mix_misfits(self, *, has_model: bool) -> list[str]:
        """What does not fit the choice of a reward model."""
        if has_model and not self.model_weight:
            return [
                _(
                    "The reward model is not used while its weight is 0. Raise the weight, or"
                    " choose no reward model."
                )
            ]
        if not has_model and not self.weights.keys() - {MODEL}:
            return [_("There is nothing to reward. Choose a reward model, or weigh a rule.")]
        return []
