"""The forms that upload answers by several raters, and say what the columns and values mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.files import File
from django.forms import BoundField
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from labeling.data.imports.answers.previews import Column
from labeling.data.imports.answers.writer import MAX_NAME
from labeling.importers.annotations import legends, roles

NOT_IMPORTED = "-"
ROLES: list[tuple[str, str | Promise]] = [
    (NOT_IMPORTED, _("Not imported")),
    (roles.RATER, _("Rater")),
    (roles.BY_RATER, _("One rater's answers")),
    (roles.ITEM, _("Item ID")),
    (roles.PROMPT, _("Prompt")),
    (roles.RESPONSE, _("Response or text that was rated")),
    (roles.MODEL, _("Model")),
    (roles.LEFT, _("First response")),
    (roles.RIGHT, _("Second response")),
    (roles.LEFT_MODEL, _("Model of the first response")),
    (roles.RIGHT_MODEL, _("Model of the second response")),
    (roles.MODELS, _("Models of both responses, in one column")),
    (roles.WINNER, _("Which response is better")),
    (roles.STRENGTH, _("Strength of preference (1 to 4)")),
    (roles.RANK, _("Rank (1 is best)")),
    (roles.ANSWER, _("Answer: find out what kind")),
    (roles.SCALE, _("Answer: scale")),
    (roles.CHOICE, _("Answer: categories")),
    (roles.FLAG, _("Answer: yes or no")),
    (roles.LEFT_ANSWER, _("Rating of the first response")),
    (roles.RIGHT_ANSWER, _("Rating of the second response")),
    (roles.QUESTION, _("Name of the question")),
    (roles.VALUE, _("Answer to the named question")),
    (roles.TEXT, _("Text that the rater wrote")),
    (roles.REASON, _("Reason or comment")),
    (roles.AT, _("Time of the answer")),
    (roles.ACTIVE_S, _("Duration in seconds")),
    (roles.ANSWER_ID, _("Answer ID")),
    (roles.CATEGORY, _("Category")),
    (roles.LANGUAGE, _("Language")),
    (roles.LICENCE, _("Licence")),
]
MEANINGS: list[tuple[str, str | Promise]] = [
    ("", _("Choose…")),
    (legends.FIRST, _("The first response is better")),
    (legends.SECOND, _("The second response is better")),
    (legends.TIE, _("Tie")),
    (legends.ALL_BAD, _("Both are bad")),
    (legends.SKIP, _("No vote")),
]


class AnswersForm(forms.Form):
    """A file of answers and where it comes from. `upload` and `texts_upload` name files that were
    sent before, for a preview.
    """

    upload = forms.CharField(required=False, widget=forms.HiddenInput)
    texts_upload = forms.CharField(required=False, widget=forms.HiddenInput)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CSV, TSV, XLSX, JSON lines, JSON or Parquet, with one answer per row or one column per"
            " rater."
        ),
        error_messages={"empty": _("The file is empty. Choose one with at least one line.")},
    )
    texts = forms.FileField(
        label=_("Texts"),
        required=False,
        help_text=_("A second file with the prompts and responses, if the first only has IDs."),
    )
    campaign = forms.CharField(
        label=_("Campaign"),
        max_length=MAX_NAME - 8,
        help_text=_("The answers get a closed campaign of their own, with its quality pages."),
    )
    source_name = forms.CharField(
        label=_("Source"),
        max_length=150,
        help_text=_("A name for the origin of the data. Raters never see it."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        help_text=_(
            "An SPDX identifier, such as Apache-2.0 or CC-BY-4.0. A row's own licence comes first."
        ),
    )
    is_strict = forms.BooleanField(
        label=_("Publish nothing if any line has a problem"), required=False
    )

    NEEDED = ("campaign", "source_name", "licence")
    ORIGIN = (*NEEDED, "is_strict")
    """What is asked after the preview."""

    def __init__(
        self, *args: Any, is_kept: bool = False, is_preview: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if is_kept:
            del self.fields["file"], self.fields["texts"]
        if is_preview:
            for name in self.NEEDED:
                self.fields[name].required = False

    def ask_origin(self) -> None:
        """The import needs what its preview did without."""
        for name in self.NEEDED:
            self.fields[name].required = True

    @property
    def of_file(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.ORIGIN]

    @property
    def origin(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name in self.ORIGIN]

    @property
    def upload_file(self) -> "File[bytes]":
        file: File[bytes] = self.cleaned_data["file"]
        return file

    @property
    def texts_file(self) -> "File[bytes] | None":
        file: File[bytes] | None = self.cleaned_data.get("texts")
        return file

    @property
    def arguments(self) -> dict[str, object]:
        """Arguments for services.start_kept, except the files."""
        names = ("campaign", "source_name", "licence", "is_strict")
        return {name: self.cleaned_data[name] for name in names}


class RolesForm(forms.Form):
    """What each column is. A role that only one column can have may be chosen once."""

    def __init__(self, data: QueryDict | None = None, *, columns: Sequence[Column]) -> None:
        super().__init__(data, prefix="role")
        self._headings = [column.heading for column in columns]
        for place, column in enumerate(columns):
            self.fields[str(place)] = forms.ChoiceField(
                label=column.heading,
                help_text=column.example,
                choices=ROLES,
                initial=column.role or NOT_IMPORTED,
            )

    def clean(self) -> dict[str, object]:
        chosen = super().clean() or self.cleaned_data
        taken: set[str] = set()
        for place, role in list(chosen.items()):
            if role in taken and role not in {NOT_IMPORTED, *roles.MANY}:
                self.add_error(place, _("Another column already has this meaning."))
            taken.add(role)
        return chosen

    @property
    def roles(self) -> dict[str, str]:
        """Heading → role."""
        return {
            self._headings[int(place)]: role
            for place, role in self.cleaned_data.items()
            if role != NOT_IMPORTED
        }


class LegendForm(forms.Form):
    """What each value of the winner means."""

    use_required_attribute = False  # “Preview” works before everything is said

    def __init__(self, data: QueryDict | None = None, *, legend: Mapping[str, str]) -> None:
        super().__init__(data, prefix="means")
        # Named by its value: a choice that was made for another column's values must not count.
        for value in sorted(legend):
            self.fields[value] = forms.ChoiceField(
                label=value or _("(empty)"), choices=MEANINGS, initial=legend[value]
            )

    @property
    def legend(self) -> dict[str, str]:
        """Value → meaning, as far as it was chosen."""
        return {value: meaning for value, meaning in self.cleaned_data.items() if meaning}
