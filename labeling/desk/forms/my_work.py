"""The filter form of My work, read from the query string."""

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arithmetic import days
from labeling.desk.work import HistoryFilter, HistoryState, campaigns_worked_in
from labeling.models import Campaign, Rater
from pages.form_parts import sentence_case


class HistoryForm(forms.Form):
    """Filters by campaign, kind, dates and state. Invalid values are ignored rather than rejected,
    since links may be old.
    """

    campaign = forms.ModelChoiceField(
        label=_("Campaign"), required=False, queryset=Campaign.objects.none(), empty_label=_("Any")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("Any")), *sentence_case(Campaign.Kind.choices)],
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", _("Any")), *HistoryState.choices]
    )
    since = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("To"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, data: QueryDict | None = None, *, rater: Rater) -> None:
        super().__init__(data)
        field = self.fields["campaign"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = campaigns_worked_in(rater=rater)

    @property
    def filters(self) -> HistoryFilter:
        self.is_valid()
        values = self.cleaned_data
        since, until = values.get("since"), values.get("until")
        zone = timezone.get_current_timezone()
        return HistoryFilter(
            campaign_id=values["campaign"].pk if values.get("campaign") else None,
            kind=values.get("kind") or "",
            state=values.get("state") or "",
            since=days.midnight(since, zone) if since else None,
            before=days.end_of(until, zone) if until else None,
        )
