"""Three choices that fill in a schedule's form: what to train, how long, and what follows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from labeling.access import visible
from labeling.kinds import registry
from labeling.kinds.choices import Answer
from labeling.models import Campaign, Guideline, Pool, Prompt
from training.configs import kinds
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.sample import SampleConfig
from training.models import Schedule, TrainedModel
from training.registry.selectors import usable_models
from training.runs import placement
from training.runs.forms.fields import PRESET_WORDS
from training.schedules import selectors as schedules_selectors
from training.schedules.forms.schedule import NAME_LENGTH, ScheduleForm
from training.schedules.plans.chain_plans import TEMPLATES, Plan
from training.schedules.plans.settings import Ending
from training.schedules.services import Terms
from training.snapshots.contents.filters import Judges
from training.snapshots.forms import judges_field
from training.train_on_campaign.answers import filters_of
from training.train_on_campaign.offers import LABELS, Offer, offers

SMALL, BALANCED = "small", "balanced"
LENGTHS = {
    SMALL: _("Minutes"),
    BALANCED: _("About an hour"),
    "thorough": _("Overnight"),
}
"""By preset"""
N_JUDGED = 200
"""test prompts on which raters compare the models, at most"""
OVERLAP = 3
EVERY_WEEK = "0 3 * * mon"
_SHOWN_AT = {"base_model": "base_model", "pool": "pool", "guideline": "guideline"}
"""Where a problem of the schedule's form is shown; beside the length if it is of settings."""


class TrainForm(forms.Form):
    """After is_valid(): plan(), terms() and `name`, those of the schedule's form."""

    use_required_attribute = False  # who is asked is only required where raters are asked

    what = forms.ChoiceField(
        label=_("What"),
        choices=list(LABELS.items()),
        error_messages={
            "required": _("Choose what to train. Each choice that is not available says why.")
        },
    )
    base_model = forms.ModelChoiceField(
        label=_("Starts from"),
        queryset=TrainedModel.objects.none(),
        empty_label=None,
        error_messages={
            "required": _(
                "Choose a language model. If there is none with weights, register one first."
            ),
            "invalid_choice": _(
                "This model was retired, or its weights were deleted. Choose another one."
            ),
        },
    )
    length = forms.ChoiceField(label=_("How long"), choices=list(LENGTHS.items()))
    ending = forms.ChoiceField(label=_("Then"), widget=forms.RadioSelect)
    pool = forms.ModelChoiceField(
        label=_("Pool of raters"),
        queryset=Pool.objects.order_by("name"),
        empty_label=_("Choose a pool"),
        error_messages={
            "required": _("Choose the pool whose raters compare the models. An admin creates one.")
        },
    )
    guideline = forms.ModelChoiceField(
        label=_("Guideline"),
        queryset=Guideline.objects.order_by("name"),
        empty_label=_("Choose a guideline"),
        error_messages={
            "required": _("Choose the guideline that raters follow. An admin writes one.")
        },
    )
    judges = judges_field()
    repeats = forms.BooleanField(
        label=_("Repeat every week"),
        required=False,
        help_text=_("Mondays at 03:00, if there are new answers. The first time is now."),
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, campaign: Campaign, by: User, now: datetime
    ) -> None:
        self.campaign, self.by, self.now = campaign, by, now
        self.offers = offers(campaign=campaign, judges=_judges_in(data), now=now)
        self.models = usable_models()
        self.nodes = [status.node for status in placement.nodes(now=now) if status.takes_runs]
        self.n_test = visible(Prompt.objects.filter(split="test", retired_at=None)).count()
        super().__init__(self._defaults() if data is None else data)
        if not campaign.judges.exists():
            del self.fields["judges"]
        models, ending = self.fields["base_model"], self.fields["ending"]
        assert isinstance(models, forms.ModelChoiceField)
        assert isinstance(ending, forms.ChoiceField)
        models.queryset = self.models
        ending.choices = self._endings()
        asks_raters = self.is_compared and self["ending"].value() == Ending.COMPARE
        for name in ("pool", "guideline"):
            self.fields[name].required = asks_raters

    def _endings(self) -> list[tuple[str, str]]:
        compare = (Ending.COMPARE, gettext("Raters compare it with the current model, blind"))
        return [
            *([compare] if self.by.is_admin else []),
            (Ending.REQUEST, gettext("Ask the admins to have it compared with the current model")),
            (Ending.NOTHING, gettext("Nothing more")),
        ]

    def _defaults(self) -> dict[str, Any]:
        asks = Ending.COMPARE if self.by.is_admin else Ending.REQUEST
        model, (pool, guideline) = self.models.first(), self._usual_raters()
        has_gpu = any(node.gpus for node in self.nodes)
        return {
            "what": next((offer.name for offer in self.offers if not offer.why_not), ""),
            "base_model": model.pk if model else None,
            "length": BALANCED if has_gpu and settings.MODE != "demo" else SMALL,
            "judges": Judges.NONE,
            "ending": asks if self.n_test else Ending.NOTHING,
            "pool": pool,
            "guideline": guideline,
        }

    def _usual_raters(self) -> tuple[int | None, int | None]:
        """Of this campaign if it compares responses, otherwise of the newest one that does."""
        if self.campaign.about.answer == Answer.COMPARISON:
            return self.campaign.pool_id, self.campaign.guideline_id
        compared = Campaign.objects.filter(kind__in=registry.with_answer(Answer.COMPARISON))
        newest = compared.filter(pool__is_held_out=False).order_by("-pk").first()
        return (newest.pool_id, newest.guideline_id) if newest else (None, None)

    @property
    def offer(self) -> Offer | None:
        """The chosen one."""
        chosen = self["what"].value()
        return next((offer for offer in self.offers if offer.name == chosen), None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.offer is not None and self.offer.why_not:
            self.add_error("what", self.offer.why_not)
        if not self.nodes:
            self.add_error("length", _no_node())
        if self.is_compared and cleaned.get("ending") in (Ending.COMPARE, Ending.REQUEST):
            self._check_comparison(cleaned)
        if not self.errors:
            self._check_schedule()
        return cleaned

    @property
    def is_compared(self) -> bool:
        """A reward model writes nothing that could be compared."""
        return bool(self.offer and self.offer.template and TEMPLATES[self.offer.template].has_gate)

    def _check_comparison(self, cleaned: dict[str, Any]) -> None:
        if not self.n_test:
            self.add_error("ending", _no_test_prompts())
            return
        admins = User.objects.filter(is_admin=True, is_active=True)
        if cleaned["ending"] == Ending.REQUEST and not admins.exists():
            self.add_error("ending", _no_admin())

    def _check_schedule(self) -> None:
        for name, sentences in self.schedule.errors.items():
            where = "length" if name.startswith("config_") else _SHOWN_AT.get(name)
            for sentence in sentences:
                self.add_error(where, str(sentence))

    @cached_property
    def schedule(self) -> ScheduleForm:
        """The schedule's form, filled in. Only with an offer that can be trained."""
        assert self.offer is not None
        return ScheduleForm.filled(
            self.schedule_values,
            template=self.offer.template,
            now=self.now,
            time_zone=self.by.time_zone,
        )

    @property
    def schedule_values(self) -> dict[str, Any]:
        """By the names of the schedule's form. What is not chosen here keeps its initial value."""
        assert self.offer is not None
        chosen, shape = self.cleaned_data, TEMPLATES[self.offer.template]
        filters, length = filters_of(self.campaign), chosen.get("length", SMALL)
        values: dict[str, Any] = {
            "name": free_name(self.campaign, self.offer),
            "base_model": _pk(chosen.get("base_model")),
            **filters,
            "judges": chosen.get("judges"),
            **{f"config_{kind}": f"preset:{length}" for kind in shape.run_kinds},
            "trigger": Schedule.Trigger.CLOCK if chosen.get("repeats") else Schedule.Trigger.HAND,
            "cron": EVERY_WEEK,
        }
        values.pop(f"config_{BenchmarkConfig.kind}", None)
        if self.is_compared:
            values |= {
                "ending": chosen.get("ending"),
                "pool": _pk(chosen.get("pool")),
                "guideline": _pk(chosen.get("guideline")),
                "n_judged": self._n_judged(length),
                "n_taught": 0,
                "overlap": OVERLAP,
            }
        return values

    def _n_judged(self, length: str) -> int:
        most = getattr(kinds.PRESETS[SampleConfig.kind][length], "max_prompts", None)
        return max(1, min(N_JUDGED, self.n_test, most or N_JUDGED))

    @property
    def advanced_url(self) -> str:
        """The schedule's form with the same values."""
        if self.offer is None or not self.offer.template:
            return reverse("schedules")
        values = {name: value for name, value in self.schedule_values.items() if value is not None}
        path = reverse("schedule_new", args=[self.offer.template])
        return f"{path}?{urlencode(values, doseq=True)}"

    @property
    def name(self) -> str:
        name: str = self.schedule.cleaned_data["name"]
        return name

    def plan(self) -> Plan:
        return self.schedule.plan()

    def plan_of(self, length: str) -> Plan:
        """The same plan with the settings of this preset."""
        plan = self.plan()
        configs = {kind: kinds.as_json(kinds.PRESETS[kind][length]) for kind in plan.configs}
        return replace(plan, configs=configs, n_judged=self._n_judged(length))

    def terms(self) -> Terms:
        return self.schedule.terms()

    @property
    def lengths(self) -> list[tuple[str, Any, str]]:
        """(preset, how long, what for)"""
        return [(name, words, str(PRESET_WORDS[name])) for name, words in LENGTHS.items()]


def free_name(campaign: Campaign, offer: Offer) -> str:
    """A name for the schedule that no other one has."""
    method = str(TEMPLATES[offer.template].name)
    base = f"{campaign.name[: NAME_LENGTH - len(method) - 10]} · {method}"
    return schedules_selectors.free_name(base)


def _judges_in(data: Mapping[str, Any] | None) -> str:
    """What is offered is counted with the verdicts that are chosen."""
    chosen = (data or {}).get("judges")
    return chosen if chosen in Judges.values else Judges.NONE


def _pk(row: Any) -> int | None:
    return None if row is None else row.pk


def _no_node() -> str:
    return gettext("No GPU worker has sent a heartbeat in the last minute. Start one to run this.")


def _no_test_prompts() -> str:
    return gettext(
        "There are no test prompts to compare the models on. Import prompts, or choose “Nothing"
        " more”."
    )


def _no_admin() -> str:
    return gettext("Nobody here is an admin, so nobody can be asked.")
