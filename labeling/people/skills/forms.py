"""The form of a rater's languages and topics."""

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.models import Prompt
from labeling.people.skills.fields import LanguagesField, WordsField
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import chips, sentence_case


class SkillsForm(ConflictCheck, forms.Form):
    """Languages and topics: as stated by a rater, or as observed by an admin."""

    languages = LanguagesField(
        label=_("Languages"), help_text=_("Language codes, separated by commas: en, de, pt-BR.")
    )
    topics = forms.MultipleChoiceField(
        label=_("Task types"),
        choices=sentence_case(
            choice for choice in Prompt.Category.choices if choice[0] != Prompt.Category.OTHER
        ),
        required=False,
        widget=chips(),
    )
    tags = WordsField(label=_("Other fields"), help_text=_("For example medicine, law, chess."))

    @classmethod
    def initial_of(cls, *, languages: list[str], topics: list[str]) -> dict[str, list[str]]:
        codes = set(Prompt.Category.values)
        chosen, tags = (
            [code for code in topics if code in codes],
            [code for code in topics if code not in codes],
        )
        return {"languages": languages, "topics": chosen, "tags": tags}

    @property
    def arguments(self) -> dict[str, list[str]]:
        values = self.cleaned_data
        return {"languages": values["languages"], "topics": [*values["topics"], *values["tags"]]}
