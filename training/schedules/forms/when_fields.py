"""The fields of a schedule's form about when its chains start, and when they must not."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pages.form_parts import segmented
from pages.time_zones import TimeZoneField
from training.models import Schedule, TrainedModel
from training.schedules import timing
from training.schedules.forms.cycle_fields import MAX_INTEGER
from training.schedules.services import Terms

WHEN = ("cron", "time_zone", "n_new", "accuracy_drop", "n_fresh_pairs", "judge")
_TIMED = (Schedule.Trigger.CLOCK, Schedule.Trigger.ACCURACY)
LIMITS = ("skips_nothing_new", "min_interval_h", "max_runs_a_week", "quiet_from", "quiet_until")


def _clock(label: Any, help_text: Any = "") -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, help_text=help_text, widget=widget, required=False)


class WhenFields(forms.Form):
    """Call terms() on a valid form."""

    trigger = forms.ChoiceField(
        label=_("Starts"),
        choices=Schedule.Trigger.choices,
        initial="clock",
        widget=segmented(),
    )
    cron = forms.CharField(
        label=_("At set times"),
        max_length=100,
        required=False,
        initial="0 3 * * mon",
        help_text=_(
            "Minute, hour, day of month, month, day of week. “0 3 * * mon” is Mondays at 03:00."
        ),
    )
    time_zone = TimeZoneField()
    n_new = forms.IntegerField(
        label=_("On new answers: how many"),
        min_value=1,
        max_value=MAX_INTEGER,
        required=False,
        initial=500,
        help_text=_("Since the last run."),
    )
    accuracy_drop = forms.FloatField(
        label=_("On accuracy drop: points"),
        min_value=0.1,
        max_value=100,
        required=False,
        initial=3,
        help_text=_(
            "How much lower than on its own held-out pairs, and more than chance explains. Measured"
            " at the times above, by a separate run."
        ),
    )
    n_fresh_pairs = forms.IntegerField(
        label=_("On accuracy drop: minimum new pairs"),
        min_value=1,
        max_value=MAX_INTEGER,
        required=False,
        initial=100,
        help_text=_("Answers given after the reward model's snapshot, on items it has not seen."),
    )
    judge = forms.ModelChoiceField(
        label=_("On accuracy drop: reward model"),
        queryset=TrainedModel.objects.none(),
        required=False,
        empty_label=_("The newest of this schedule"),
        help_text=_("Later, the newest one of this schedule."),
    )
    skips_nothing_new = forms.BooleanField(
        label=_("Skip when nothing is new"), required=False, initial=True
    )
    min_interval_h = forms.IntegerField(
        label=_("Minimum hours between runs"),
        min_value=0,
        max_value=10_000,
        required=False,
        initial=0,
    )
    max_runs_a_week = forms.IntegerField(
        label=_("Max runs in 7 days"),
        min_value=0,
        max_value=MAX_INTEGER,
        required=False,
        help_text=_("Leave empty for no budget."),
    )
    quiet_from = _clock(_("Quiet from"), _("Nothing starts automatically during quiet hours."))
    quiet_until = _clock(_("Until"))

    def terms(self) -> Terms:
        cleaned = self.cleaned_data
        trigger = cleaned["trigger"]
        return Terms(
            trigger=trigger,
            time_zone=cleaned["time_zone"],
            cron=cleaned["cron"] if trigger in _TIMED else "",
            n_new=cleaned["n_new"] if trigger == Schedule.Trigger.DATA else 0,
            accuracy_drop=cleaned["accuracy_drop"] if trigger == Schedule.Trigger.ACCURACY else 0,
            n_fresh_pairs=cleaned["n_fresh_pairs"] if trigger == Schedule.Trigger.ACCURACY else 0,
            judge=cleaned["judge"] if trigger == Schedule.Trigger.ACCURACY else None,
            min_interval_h=cleaned["min_interval_h"] or 0,
            quiet_from=cleaned["quiet_from"],
            quiet_until=cleaned["quiet_until"],
            skips_nothing_new=cleaned["skips_nothing_new"],
            max_runs_a_week=cleaned["max_runs_a_week"],
        )

    def check_times(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("trigger") in _TIMED:
            try:
                timing.parse_cron(cleaned.get("cron", ""))
            except timing.InvalidCron as problem:
                self.add_error("cron", str(problem))
        if cleaned.get("trigger") == Schedule.Trigger.DATA and not cleaned.get("n_new"):
            self.add_error("n_new", gettext("Enter how many new answers are needed."))
        if cleaned.get("trigger") == Schedule.Trigger.ACCURACY:
            for name in ("accuracy_drop", "n_fresh_pairs"):
                if not cleaned.get(name):
                    self.add_error(name, gettext("Enter by how much, or start at set times."))
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_until") is None):
            self.add_error(
                "quiet_until",
                gettext("Quiet hours need a start and an end. Enter both, or neither."),
            )
