"""The fields of a run's form: those that runs and schedules share, and one for each setting of a
kind, so that each setting is described in one place.
"""

import re

from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from knobs.fields import Knob
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import Guideline, GuidelineVersion, Pool
from training.configs.knobs import REQUIRED
from training.configs.roles import Role
from training.models import Snapshot, TrainedModel
from training.processes import launch

PRESET_WORDS = {
    "small": _("minutes on two CPU cores"),
    "balanced": _("one GPU"),
    "thorough": _("the published recipe"),
}

# A maximum this high is not worth showing.
A_LOT = 100_000


class MachinesForm(forms.Form):
    """Fields that a run and a schedule have in common."""

    memory_gb = forms.IntegerField(
        label=_("Memory (GB)"),
        min_value=0,
        max_value=10_000,
        required=False,
        initial=0,
        help_text=_("Memory needed on each GPU, or on the machine if no GPU is requested."),
    )
    n_machines = forms.IntegerField(
        label=_("Machines"),
        min_value=1,
        max_value=launch.MAX_MACHINES,
        required=False,
        initial=1,
        help_text=_(
            "Each with the same number of processes and GPUs, and the same memory. They start"
            " together."
        ),
    )


def raters_fields() -> dict[str, forms.Field]:
    return {
        "spot_pool": forms.ModelChoiceField(
            label=gettext("Pool of raters"),
            queryset=Pool.objects.order_by("name"),
            required=False,
            empty_label=gettext("Choose a pool"),
        ),
        "spot_guideline": forms.ModelChoiceField(
            label=gettext("Guideline"),
            queryset=Guideline.objects.order_by("name"),
            required=False,
            empty_label=gettext("Choose a guideline"),
        ),
    }


def constitution_field(chosen: object) -> forms.Field:
    """The latest versions of guidelines with principles, and the chosen one, which may be older."""
    versions = guidelines_selectors.constitutions()
    if str(chosen).isdecimal() and int(str(chosen)) not in {version.pk for version in versions}:
        versions += GuidelineVersion.objects.select_related("guideline").filter(pk=int(str(chosen)))
    choices = [(str(version.pk), str(version)) for version in versions]
    first = [] if len(choices) == 1 else [("", gettext("Choose a guideline"))]
    return forms.ChoiceField(
        label=gettext("Constitution"),
        choices=[*first, *choices],
        help_text=gettext(
            "The guideline whose principles are used. Mark a guideline's questions as principles to"
            " see it here."
        ),
    )


def text_field() -> forms.Field:
    field = forms.ModelChoiceField(
        label=gettext("Text for PPO-ptx"),
        queryset=Snapshot.objects.filter(kind=Snapshot.Kind.TEXT).order_by("-pk"),
        required=False,
        empty_label=gettext("None: demonstrations of the snapshot, if γ is above 0"),
        help_text=gettext(
            "Mixed in with the weight γ, as InstructGPT does with its pretraining text."
        ),
    )
    field.label_from_instance = snapshot_words  # type: ignore[assignment, method-assign]
    return field


def role_field(role: Role, use: str, models: QuerySet[TrainedModel]) -> forms.Field:
    is_required = use == REQUIRED
    return forms.ModelChoiceField(
        label=gettext(role.label),
        queryset=models.filter(kind=role.kind),
        required=is_required,
        empty_label=gettext(role.choose if is_required else role.without),
        help_text="" if is_required else gettext(role.help),
    )


def knob_field(knob: Knob) -> forms.Field:
    """Passes the text on unparsed: training.configs parses and validates values."""
    label = _label(knob)
    help_text = gettext(knob.help)
    if knob.choices:
        choices = [(value, gettext(words)) for value, words in knob.choices.items()]
        return forms.ChoiceField(
            label=label, help_text=help_text, choices=choices, initial=knob.default
        )
    if knob.type is bool:
        return forms.BooleanField(
            label=label, help_text=help_text, required=False, initial=knob.default
        )
    if knob.type is str:
        return forms.CharField(
            label=label,
            help_text=help_text,
            max_length=int(knob.max or 0),
            strip=False,
            required=not knob.is_optional,
            initial=knob.default,
        )
    limits = {
        "min": knob.min,
        "max": knob.max,
        "step": "1" if knob.type is int else "any",
        "inputmode": "decimal",
    }
    widget = forms.NumberInput(
        attrs={name: _plain(value) for name, value in limits.items() if value is not None}
    )
    if knob.min is not None and knob.max is not None:
        words = (
            gettext("%(low)s or more.") if knob.max >= A_LOT else gettext("%(low)s to %(high)s.")
        )
        span = words % {"low": _plain(knob.min), "high": _plain(knob.max)}
        span = re.sub(r"(^|\s)-", r"\1−", span)
        help_text = format_html('{} <span class="nowrap range">{}</span>', help_text, span)
    return forms.CharField(
        label=label,
        help_text=help_text,
        widget=widget,
        required=not knob.is_optional,
        initial=knob.default,
    )


def _label(knob: Knob) -> SafeString | str:
    label, unit = gettext(knob.label), gettext(knob.unit) if knob.unit else ""
    if label.lower().endswith(unit.lower()) or label.lower().startswith(f"{unit.lower()} "):
        return label
    return format_html('{} <span class="unit">{}</span>', label, unit)


def _plain(value: float | str) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def snapshot_words(snapshot: Snapshot) -> str:
    return gettext("%(name)s · %(n)s rows") % {"name": snapshot.name, "n": snapshot.n_rows}
