"""The rows of a guideline's examples."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import GuidelineVersion
from labeling.models.examples import MOST, Example, as_json, parse
from pages.edit_conflicts import RowsConflictCheck
from pages.form_parts import sentence_case


class ExampleForm(forms.Form):
    """One example; an empty row is ignored."""

    VERDICTS = sentence_case([("good", _("good")), ("bad", _("bad"))])
    verdict = forms.ChoiceField(label=_("This answer is"), choices=VERDICTS, initial="good")
    why = forms.CharField(label=_("Reason, in one sentence"), max_length=500)
    prompt = forms.CharField(
        label=_("Prompt"),
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    answer = forms.CharField(
        label=_("Answer"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def has_changed(self) -> bool:
        return bool(self.changed_data) and self.changed_data != ["verdict"]


class BaseExamples(RowsConflictCheck[ExampleForm]):
    def add_fields(self, form: ExampleForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def examples(self) -> list[Example]:
        """The examples in the order of their rows. Valid formsets only."""
        filled_in = [
            form
            for form in self.forms
            if form not in self.deleted_forms and (form.initial or form.has_changed())
        ]
        return [
            Example(
                answer=row["answer"],
                is_good=row["verdict"] == "good",
                why=row["why"],
                prompt=row["prompt"],
            )
            for row in (form.cleaned_data for form in filled_in)
        ]


Examples = forms.formset_factory(
    ExampleForm, formset=BaseExamples, extra=1, can_delete=True, max_num=MOST, validate_max=True
)


def rows_of(version: GuidelineVersion) -> list[dict[str, object]]:
    """A version's examples as the formset's initial rows."""
    return [
        row | {"verdict": "good" if row["is_good"] else "bad"}
        for row in as_json(parse(version.examples))
    ]
