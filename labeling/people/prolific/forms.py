"""Forms of Prolific: the study, more places, and what is told to a participant."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.people.prolific.protocol import FEWEST_REJECTION_CHARACTERS
from labeling.people.prolific.reviews import RejectionCategory
from labeling.people.prolific.services import StudyPlan

MOST_PLACES = 100_000
MOST_MINUTES = 24 * 60
CENTS = 100
"""Prolific pays in GBP, USD and EUR: all have cents."""


def _money(label: Any, *, is_required: bool = True, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal("0.01"),
        max_digits=8,
        decimal_places=2,
        required=is_required,
        help_text=help_text,
    )


class StudyForm(forms.Form):
    """What Prolific shows its participants, and what it costs."""

    description = forms.CharField(
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=10_000,
        help_text=_("Participants read it before they take part."),
    )
    eligibility = forms.CharField(
        label=_("Who can take part"),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2_000,
        required=False,
        help_text=_("Added to the description. To enforce it, use a filter set."),
    )
    filter_set_id = forms.CharField(
        label=_("Filter set ID"),
        max_length=64,
        required=False,
        help_text=_("A saved filter set of your Prolific workspace. Leave empty for everyone."),
    )
    project_id = forms.CharField(
        label=_("Project ID"),
        max_length=64,
        required=False,
        help_text=_("From the project's URL on Prolific. Leave empty for your default project."),
    )
    reward = _money(
        _("Reward"),
        help_text=_("For each participant whom you approve, in the currency of your account."),
    )
    minutes = forms.IntegerField(label=_("Estimated minutes"), min_value=1, max_value=MOST_MINUTES)
    n_places = forms.IntegerField(label=_("Places"), min_value=1, max_value=MOST_PLACES)
    screen_out_reward = _money(
        _("Screen-out reward"),
        is_required=False,
        help_text=_(
            "Paid by Prolific at once to participants who do not pass the pool's onboarding. Leave"
            " empty to ask them to return the study, without pay."
        ),
    )
    screen_out_places = forms.IntegerField(
        label=_("Screen-out places"),
        min_value=1,
        max_value=MOST_PLACES,
        required=False,
        help_text=_("Prolific pauses the study after this many screen-outs."),
    )

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        reward, fee = values.get("reward"), values.get("screen_out_reward")
        if (fee is None) != (values.get("screen_out_places") is None) and not self.errors:
            field = "screen_out_places" if fee is not None else "screen_out_reward"
            self.add_error(field, _("A screen-out needs a reward and a number of places."))
        if reward is not None and fee is not None and fee >= reward:
            self.add_error(
                "screen_out_reward", _("The screen-out reward must be less than the reward.")
            )
        return values

    @property
    def plan(self) -> StudyPlan:
        values = dict(self.cleaned_data)
        fee = values.pop("screen_out_reward")
        return StudyPlan(
            **values
            | {
                "reward": int(values["reward"] * CENTS),
                "screen_out_reward": None if fee is None else int(fee * CENTS),
            }
        )


class PlacesForm(forms.Form):
    """The new number of places, so that sending the form twice adds them once."""

    n_places = forms.IntegerField(label=_("Places in total"), min_value=1, max_value=MOST_PLACES)

    def __init__(
        self, data: QueryDict | None, *, n_before: int, initial: dict[str, object]
    ) -> None:
        super().__init__(data, initial=initial)
        self.n_before = n_before

    def clean_n_places(self) -> int:
        n: int = self.cleaned_data["n_places"]
        if n <= self.n_before:
            raise ValidationError(
                _("The study has %(n)d places already. Places can only be added."),
                params={"n": self.n_before},
            )
        return n


class ReturnForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Prolific sends it to the participant."),
    )


class RejectForm(forms.Form):
    category = forms.ChoiceField(label=_("Reason"), choices=RejectionCategory.choices)
    message = forms.CharField(
        label=_("Message to the participant"),
        min_length=FEWEST_REJECTION_CHARACTERS,
        max_length=3_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Say what was wrong in which answers. At least 100 characters."),
    )
