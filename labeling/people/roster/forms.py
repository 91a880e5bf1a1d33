"""The roster's filter form and its bulk actions."""

from typing import TYPE_CHECKING

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.models import Pool, Prompt, Rater, RaterSkill
from labeling.people.roster import selectors
from pages.form_parts import sentence_case

if TYPE_CHECKING:
    PoolModelForm = forms.ModelForm[Pool]
    PoolField = forms.ModelChoiceField[Pool]
    RatersField = forms.ModelMultipleChoiceField[Rater]
else:
    PoolModelForm = forms.ModelForm
    PoolField = forms.ModelChoiceField
    RatersField = forms.ModelMultipleChoiceField


ACTS = [
    ("add", _("Add to pool")),
    ("remove", _("Remove from pool")),
    ("pause", _("Pause in pool")),
    ("resume", _("Resume in pool")),
    ("deactivate", _("Close logins…")),
]


class RosterFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, alias or e-mail"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    pool = PoolField(
        label=_("Pool"),
        queryset=Pool.objects.order_by("name"),
        required=False,
        empty_label=_("All"),
    )
    standing = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("All")), *sentence_case(selectors.RaterStatus.choices)],
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    topic = forms.ChoiceField(label=_("Topic"), required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        labels = dict(sentence_case(Prompt.Category.choices))
        for name, axis in (
            ("language", RaterSkill.Axis.LANGUAGE),
            ("topic", RaterSkill.Axis.TOPIC),
        ):
            known = [(code, labels.get(code, code)) for code in selectors.known_codes(axis=axis)]
            self.fields[name].choices = [("", _("All")), *known]  # type: ignore[attr-defined]

    def filters(self) -> selectors.RosterFilter:
        values = self.cleaned_data if self.is_valid() else {}
        pool = values.get("pool")
        return selectors.RosterFilter(
            words=values.get("q", ""),
            pool_id=pool.pk if pool else None,
            status=values.get("standing", ""),
            language=values.get("language", ""),
            topic=values.get("topic", ""),
        )


class RosterActForm(forms.Form):
    """One action on all selected raters, or on all that match the filter, including those on other
    pages.
    """

    raters = RatersField(
        queryset=Rater.people.filter(user__isnull=False).select_related("user"), required=False
    )
    everybody = forms.BooleanField(required=False)
    act = forms.ChoiceField(
        label=_("Bulk actions"), choices=ACTS, widget=forms.Select(attrs={"class": "input"})
    )
    pool = PoolField(
        label=_("Pool"),
        queryset=Pool.objects.order_by("name"),
        required=False,
        empty_label=_("Choose one"),
    )

    def __init__(self, data: QueryDict | None = None, *, raters: QuerySet[Rater]) -> None:
        """`raters`: those that match the filter."""
        super().__init__(data)
        self.all_matching = raters

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        if cleaned.get("everybody"):
            # The filter decides, not the checkboxes: it also covers the other pages of the list.
            cleaned["raters"] = self.all_matching
        if not cleaned.get("raters"):
            raise ValidationError(_("Select at least one rater. Nothing was changed."))
        if cleaned.get("act") not in {None, "deactivate"} and cleaned.get("pool") is None:
            raise ValidationError(_("Choose a pool."))
        withdrawn = [
            rater.alias for rater in cleaned.get("raters") or () if rater.withdrawn_at is not None
        ]
        if cleaned.get("act") == "add" and withdrawn:
            raise ValidationError(
                _("%(alias)s has withdrawn and can't join a pool."),
                params={"alias": ", ".join(withdrawn)},
            )
        return cleaned
