"""Forms of a pool: its settings, and raters to add or remove."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.models import Pool, Rater
from labeling.people.pools.services import PoolTerms
from labeling.people.skills.fields import LanguagesField, WordsField, as_topic
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import NameField, offer_rows

# Django's forms are generic only in the stubs.
if TYPE_CHECKING:
    PoolModelForm = forms.ModelForm[Pool]
    RatersField = forms.ModelMultipleChoiceField[Rater]
else:
    PoolModelForm = forms.ModelForm
    RatersField = forms.ModelMultipleChoiceField


class PoolForm(ConflictCheck, PoolModelForm):
    languages = LanguagesField(
        label=_("Languages"),
        help_text=_("Codes of the languages that everyone in the pool reads, such as en, de."),
    )
    expertise = WordsField(
        label=_("Expertise"),
        help_text=_(
            "What everyone in the pool knows: prompt categories, such as summarization, or your own"
            " tags."
        ),
    )

    class Meta:
        model = Pool
        field_classes = {"name": NameField}
        fields = [
            "name",
            "description",
            "languages",
            "expertise",
            "routes_by_language",
            "routes_by_category",
            "max_per_day",
            "max_at_once",
            "shown_items",
            "shown_percent",
            "is_held_out",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        error_messages = {"name": {"unique": _("Another pool already has this name.")}}

    def __init__(
        self, data: Mapping[str, object] | None = None, *, instance: Pool | None = None
    ) -> None:
        super().__init__(data, instance=instance)
        self.fields["shown_percent"].required = False

    def clean_shown_percent(self) -> int:
        return self.cleaned_data["shown_percent"] or PoolTerms().shown_percent

    def clean_expertise(self) -> list[str]:
        return [as_topic(word) for word in self.cleaned_data["expertise"]]

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for services.create_pool and edit_pool."""
        values = self.cleaned_data
        terms = PoolTerms(
            languages=tuple(values["languages"]),
            expertise=tuple(values["expertise"]),
            routes_by_language=values["routes_by_language"],
            routes_by_category=values["routes_by_category"],
            max_per_day=values["max_per_day"],
            max_at_once=values["max_at_once"],
            shown_items=values["shown_items"],
            shown_percent=values["shown_percent"],
        )
        return {name: values[name] for name in ("name", "description", "is_held_out")} | {
            "terms": terms
        }


class RaterChoice(RatersField):
    """Raters as checkboxes, with alias and name."""

    def label_from_instance(self, rater: Rater) -> str:
        return f"{rater.alias} · {rater.user}" if rater.user else rater.alias


class RatersForm(forms.Form):
    """Selects raters to add to a pool or remove from it."""

    raters = RaterChoice(
        label=_("Raters"),
        queryset=Rater.people.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Select at least one rater.")},
    )

    def __init__(self, data: QueryDict | None = None, *, queryset: QuerySet[Rater]) -> None:
        super().__init__(data)
        offer_rows(self.fields["raters"], queryset)
