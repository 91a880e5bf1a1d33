"""Forms for a new snapshot: of judgments or prompts, or of text for pretraining."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from pages.form_parts import NameField, chips, sentence_case
from training.models import Snapshot
from training.snapshots import selectors, services
from training.snapshots.contents.filters import Judges
from training.snapshots.curation import recipes
from training.snapshots.pretraining import texts

_SAMPLED = (Snapshot.Kind.DEMONSTRATIONS, Snapshot.Kind.COMPARISONS)


def tags_in(text: str) -> tuple[str, ...]:
    """Comma-separated tags; at most twelve."""
    return tuple(dict.fromkeys(tag.strip()[:40] for tag in text.split(",") if tag.strip()))[:12]


def judges_field() -> forms.ChoiceField:
    """Which verdicts of AI judges are learned from; empty is people only."""
    return forms.ChoiceField(
        label=_("AI judges"),
        choices=sentence_case(Judges.choices),
        initial=Judges.NONE,
        required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "Adds verdicts on pairs that no person answered: those that a look allowed, or all,"
            " each weighted by how surely the judge agrees with people. They only train: models"
            " are measured on people's answers."
        ),
    )


class SnapshotForm(forms.Form):
    """Filters for a snapshot of judgments or prompts."""

    name = NameField(label=_("Name"), max_length=200)
    campaigns = forms.TypedMultipleChoiceField(
        label=_("Campaigns"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leave empty to include all."),
    )
    includes_imports = forms.BooleanField(
        label=_("Include imported answers"), required=False, initial=True
    )
    includes_extra = forms.BooleanField(
        label=_("Include extra answers"),
        required=False,
        help_text=_("Submitted late, after the item was already complete."),
    )
    includes_repeats = forms.BooleanField(
        label=_("Include repeats"),
        required=False,
        help_text=_("The same item shown to the same rater again, to measure self-agreement."),
    )
    includes_set_aside = forms.BooleanField(
        label=_("Include answers set aside in review"),
        required=False,
        help_text=_("A reviewer excluded them from statistics and training."),
    )
    weighs_by_reliability = forms.BooleanField(
        label=_("Weight by reliability"),
        required=False,
        help_text=_(
            "Weights each answer by its rater's reliability, from 0 to 1, as in the campaign's"
            " quality report. Raters no better than chance are left out; raters without data count"
            " in full."
        ),
    )
    judges = judges_field()
    best_of = forms.TypedMultipleChoiceField(
        label=_("Best responses of"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Replaces what people wrote: for each prompt, the response that the run's reward model"
            " scores highest."
        ),
    )
    revised_in = forms.TypedMultipleChoiceField(
        label=_("Revisions of"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Replaces what people wrote: for each prompt, the model's last revision."),
    )
    best_voted_in = forms.TypedMultipleChoiceField(
        label=_("Responses preferred in"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Replaces what people wrote: of each item of these campaigns, the response that raters"
            " prefer. The fewer votes an item has, the more clearly they must agree; items without"
            " a clear preference are left out."
        ),
    )
    splits = forms.MultipleChoiceField(
        label=_("Splits"),
        choices=sentence_case(Prompt.Split.choices),
        initial=[Prompt.Split.TRAIN],
        widget=chips(),
        help_text=_(
            "Training runs never learn from validation and test prompts. PPO, RLOO and GRPO measure"
            " the reward on them before and after."
        ),
    )
    limit = forms.IntegerField(
        label=_("Max"),
        required=False,
        min_value=1,
        help_text=_("A fixed random sample; leave empty for all."),
    )
    categories = forms.MultipleChoiceField(
        label=_("Categories"),
        choices=sentence_case(Prompt.Category.choices),
        required=False,
        widget=chips(),
        help_text=_("Leave empty to include all."),
    )
    licences = forms.MultipleChoiceField(
        label=_("Licences"),
        required=False,
        widget=chips(),
        help_text=_(
            "Only rows whose texts are all under one of these. Leave empty to include all."
        ),
    )

    recipe = forms.ChoiceField(
        label=_("Curation"),
        required=False,
        help_text=_(
            "Masks personal data, and removes what its rules find. Duplicates are answers to the"
            " same prompt. The snapshot keeps a ledger of what was removed or changed, and why."
        ),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        kind: str,
        now: datetime,
        initial: dict[str, list[str]] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.kind = kind
        self.fields["recipe"].choices = recipes.choices(kind=kind)  # type: ignore[attr-defined]
        of_judgments = ("campaigns", "includes_imports", "includes_extra", "includes_set_aside")
        foreign = of_judgments if kind == Snapshot.Kind.PROMPTS else ("splits", "limit")
        for name in foreign:
            del self.fields[name]
        if kind not in selectors.OF_RATERS:
            del self.fields["weighs_by_reliability"]
            del self.fields["includes_repeats"]
        if kind not in selectors.OF_RATERS or not selectors.has_judges():
            del self.fields["judges"]
        choices: dict[str, Sequence[tuple[int | str, str]]] = {
            "licences": selectors.licence_choices()
        }
        if kind != Snapshot.Kind.PROMPTS:
            choices["campaigns"] = selectors.campaign_choices(kind=kind, now=now)
        choices["best_of"] = selectors.scored_run_choices() if kind in _SAMPLED else []
        choices["revised_in"] = selectors.revised_run_choices() if kind in _SAMPLED else []
        choices["best_voted_in"] = (
            selectors.campaign_choices(kind=Snapshot.Kind.COMPARISONS, now=now)
            if kind == Snapshot.Kind.DEMONSTRATIONS
            else []
        )
        if kind == Snapshot.Kind.COMPARISONS:
            self.fields["best_of"].help_text = gettext(
                "Replaces what people decided: for each prompt, the response that the run's reward"
                " model scores highest against the one it scores lowest."
            )
            self.fields["revised_in"].help_text = gettext(
                "Replaces what people decided: for each prompt, the model's last revision against"
                " its first answer. Nobody has compared them."
            )
        for name, offered in choices.items():
            if offered:
                self.fields[name].choices = offered  # type: ignore[attr-defined]
            else:
                del self.fields[name]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        _check_preview(self, cleaned)
        return cleaned

    def filters(self) -> services.Filters:
        """Call on a valid form."""
        apart = ("name", "recipe")
        cleaned = {name: value for name, value in self.cleaned_data.items() if name not in apart}
        cleaned["judges"] = cleaned.get("judges") or Judges.NONE.value
        return services.Filters.from_json(cleaned)

    def filters_as_json(self) -> dict[str, object]:
        """Call on a valid form."""
        return self.filters().as_json()


class TextForm(forms.Form):
    """A file of documents for pretraining. After `clean()` they are under `documents`."""

    name = NameField(label=_("Name"), max_length=200)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "A .jsonl file with one object per line that has a “text” field, or plain text in which"
            " a line <|endoftext|> ends a document."
        ),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        help_text=_("The licence of the text, for example CC-BY-4.0."),
    )
    min_characters = forms.IntegerField(
        label=_("Minimum document length"),
        min_value=0,
        max_value=1_000_000,
        initial=200,
        help_text=_("In characters. Shorter documents are left out, and so are duplicates."),
    )
    recipe = forms.ChoiceField(
        label=_("Curation"),
        required=False,
        choices=recipes.choices(kind=Snapshot.Kind.TEXT),
        help_text=_(
            "Both recipes also remove documents that hold a gold prompt or an item of a suite. The"
            " snapshot keeps a ledger of what was removed or changed, and why."
        ),
    )

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        if file := cleaned.get("file"):
            documents = texts.Documents(file.name.lower(), file)
            for problem in documents.problems():
                words = gettext("Line %(line)s: %(what)s") if problem.line else "%(what)s"
                self.add_error("file", words % {"line": problem.line, "what": problem.sentence})
            cleaned["documents"] = documents
        _check_preview(self, cleaned)
        return cleaned

    def filters_as_json(self) -> dict[str, object]:
        """Call on a valid form."""
        return {name: self.cleaned_data[name] for name in ("licence", "min_characters")}


def _check_preview(form: forms.Form, cleaned: dict[str, object]) -> None:
    if "preview" in form.data and not cleaned.get("recipe"):
        form.add_error("recipe", gettext("Choose a recipe to preview."))
