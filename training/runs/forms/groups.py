"""A run's form by parts: what stays open, and the settings that are closed while they are those of
a preset.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from knobs.fields import Knob
from pages.form_parts import ClosedGroup, is_changed
from training.configs import kinds, roles
from training.configs.knobs import OPTIONAL, Section, SpotCheckKnobs

BASICS = ("name", *roles.NAMES, "snapshot", "ptx_snapshot", "suites")
HARDWARE = (
    "n_gpus",
    "memory_gb",
    "n_processes",
    "n_machines",
    "strategy",
    "offloads",
    "priority",
)
RATERS = ("spot_pool", "spot_guideline")
# The fields that do not belong to a kind's config.
CHOICES = (*BASICS, *RATERS, *HARDWARE, "tags")
N_NAMED = 4
"""Settings of a closed group that its heading names."""


@dataclass(frozen=True)
class FormRow:
    """Fields that belong together, under one name."""

    label: str
    help: str
    fields: Sequence[BoundField]


@dataclass(frozen=True)
class FormSection:
    title: str
    help: str
    rows: Sequence[FormRow]
    by_default: str
    is_open: bool


class GroupedForm(forms.Form):
    """A run's form by parts. Each field is in one of them."""

    kind: str
    knobs: tuple[Knob, ...]

    @property
    def basics(self) -> Iterator[BoundField]:
        names = (name for name in BASICS if name not in self._beside)
        return (self[name] for name in names if name in self.fields)

    @property
    def closed(self) -> list[ClosedGroup]:
        groups = (self.more, self.beside, self.hardware, self.spot, self.advanced)
        return [group for group in groups if group.fields]

    @property
    def beside(self) -> ClosedGroup:
        """Models and texts that a run can do without."""
        names = [name for name in BASICS if name in self._beside and name in self.fields]
        if "watchdog_model" in names:
            title = _("Watchdog, reference model and text")
            words = _("By default, none, and KL is measured to the model that it starts from")
        else:
            title = _("Reference model")
            words = _("By default, KL is measured to the model that it starts from")
        return ClosedGroup(title, words, [self[name] for name in names])

    @property
    def _beside(self) -> set[str]:
        about = kinds.KINDS[self.kind]
        if not about.closes_settings:
            return set()
        can_miss = {name for name, use in about.takes.items() if use == OPTIONAL}
        return can_miss - {"reward_model"} | {"ptx_snapshot"}

    @property
    def hardware(self) -> ClosedGroup:
        fields = [self[name] for name in HARDWARE if name in self.fields]
        return ClosedGroup(_("Hardware"), _("By default, one process on any node"), fields)

    @property
    def spot(self) -> ClosedGroup:
        """Those about spot checks: how many first, since without any the others do nothing."""
        how_many, *others = SpotCheckKnobs.__dataclass_fields__
        names = (how_many, *RATERS, *others)
        group = self._settings(
            _("Spot checks by raters"), [name for name in names if name in self.fields]
        )
        return replace(group, by_default=_("By default, none"))

    @property
    def main(self) -> list[BoundField]:
        """The settings that stay open."""
        about = kinds.KINDS[self.kind]
        if about.closes_settings:
            return [self[about.extended_by[-1]]]
        return [self[name] for name in self._common]

    @property
    def more(self) -> ClosedGroup:
        """The settings that are not advanced, of a kind that closes them."""
        about = kinds.KINDS[self.kind]
        names = self._common if about.closes_settings else []
        return self._settings(
            _("Settings"), [name for name in names if name != about.extended_by[-1]]
        )

    @property
    def _common(self) -> list[str]:
        apart = {
            name
            for section in kinds.KINDS[self.kind].sections
            for row in section.rows
            for name in row.fields
        } | SpotCheckKnobs.__dataclass_fields__.keys()
        names = (knob.name for knob in self.knobs if not knob.is_advanced)
        return [name for name in names if name not in apart]

    @property
    def sections(self) -> list[FormSection]:
        return [self._section(section) for section in kinds.KINDS[self.kind].sections]

    def _section(self, section: Section) -> FormSection:
        """Open where it has to be: rewards, without a reward model to choose."""
        names = [name for row in section.rows for name in row.fields]
        group = self._settings(_(section.title), names)
        judges = getattr(self.fields.get("reward_model"), "queryset", None)
        return FormSection(
            group.title,
            _(section.help),
            [
                FormRow(_(row.label), _(row.help), [self[name] for name in row.fields])
                for row in section.rows
            ],
            group.by_default,
            group.is_open or (judges is not None and not judges.exists()),
        )

    @property
    def advanced(self) -> ClosedGroup:
        names = [knob.name for knob in self.knobs if knob.is_advanced]
        return self._settings(_("Advanced"), [*names, "tags"])

    def _settings(self, title: str, names: Sequence[str]) -> ClosedGroup:
        """Closed while they are those of a preset, whose values it names."""
        presets = [kinds.as_json(config) for config in kinds.PRESETS[self.kind].values()]
        values = next((preset for preset in presets if self._has(names, preset)), None)
        usual = values or presets[0]
        return ClosedGroup(
            title,
            _("By default: %(settings)s") % {"settings": self._in_words(names, usual)},
            [self[name] for name in names],
            {name: "" if usual.get(name) is None else str(usual[name]) for name in names},
        )

    def _has(self, names: Iterable[str], values: Mapping[str, object]) -> bool:
        return not any(
            is_changed(self[name], "" if values.get(name) is None else str(values[name]))
            for name in names
        )

    def _in_words(self, names: Sequence[str], values: Mapping[str, object]) -> str:
        """The first settings of a group, those that do something."""
        of_name = {knob.name: knob for knob in self.knobs}
        shown = [of_name[name] for name in names if name in of_name and values.get(name)]
        words = [_in_words(knob, values[knob.name]) for knob in shown[:N_NAMED]]
        return ", ".join(words) + (" …" if len(shown) > N_NAMED else "") if words else _("none")


def _in_words(knob: Knob, value: object) -> str:
    label = _(knob.label)
    if value is True:
        return label
    if knob.choices:
        return f"{label} {_(knob.choices[str(value)])}"
    return f"{label} {value:g}" if isinstance(value, float) else f"{label} {value}"
