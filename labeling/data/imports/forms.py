"""The forms that upload a file of prompts, and say what its columns are."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files import File
from django.forms import BoundField
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from labeling.importers.columns import TARGETS

FORMATS: list[tuple[str, str | Promise]] = [
    ("", _("Detect automatically")),
    ("plain", _("Prompts: prompt, text or messages")),
    ("jsonl", _("JSON lines: prompt, text or messages")),
    ("csv", _("CSV: prompt, text or messages")),
    ("hf", _("TRL and OpenAI: messages, completion, or chosen and rejected")),
    ("alpaca", _("Alpaca and Dolly: instruction and output")),
    ("sharegpt", _("ShareGPT: conversations")),
    ("openassistant", _("Open-Assistant trees")),
    ("oasst_flat", _("Open-Assistant, one message per row")),
    ("hh", _("Chosen and rejected transcripts (HH)")),
    ("ultrafeedback", _("UltraFeedback: instruction and rated completions")),
    ("helpsteer", _("HelpSteer preferences")),
    ("arena", _("Chatbot Arena: two models and a winner")),
    ("pairs", _("Two responses and which is better")),
    ("turns", _("MT-Bench questions: turns")),
    ("argilla", _("Argilla records")),
    ("argilla_flat", _("Argilla datasets on a hub")),
    ("label_studio", _("Label Studio tasks")),
    ("prodigy", _("Prodigy tasks with options or typed answers")),
    ("rankings", _("Rankings exported from here")),
    ("written", _("Demonstrations exported from here")),
]
WORDS = dict(FORMATS) | {"annotations": _("Answers by several raters")}
_TARGETS = {
    "prompt": _("Prompt"),
    "response": _("Response"),
    "chosen": _("Better response"),
    "rejected": _("Worse response"),
    "model": _("Model"),
    "label": _("Good or bad"),
    "system": _("System message"),
    "category": _("Category"),
    "language": _("Language"),
    "licence": _("Licence"),
}


class ImportForm(forms.Form):
    """A file of prompts, where it comes from and how to read it. `upload` names a file that was
    sent before, for a preview.
    """

    upload = forms.CharField(required=False, widget=forms.HiddenInput)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "JSON lines, JSON, CSV, TSV, Parquet or XLSX, also as gzip or ZIP. Its first rows are"
            " shown as soon as you choose it."
        ),
        error_messages={"empty": _("The file is empty. Choose one with at least one line.")},
    )
    file_format = forms.ChoiceField(label=_("Format"), choices=FORMATS, required=False)
    source_name = forms.CharField(
        label=_("Source"),
        max_length=200,
        help_text=_("A name for the origin of the data. Raters never see it."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        help_text=_(
            "An SPDX identifier, such as Apache-2.0 or CC-BY-4.0. A row's own licence comes first."
        ),
    )
    with_judgments = forms.BooleanField(
        label=_("Import human replies as demonstrations and rankings as comparisons"),
        required=False,
    )
    is_strict = forms.BooleanField(
        label=_("Publish nothing if any line has a problem"), required=False
    )
    stores_responses = forms.BooleanField(
        label=_("Store the answers beside these columns as responses"),
        help_text=_("Or choose under Columns which of them says “Good or bad”."),
        required=False,
    )

    ORIGIN = ("source_name", "licence", "stores_responses")
    """What is asked beside the preview."""

    def __init__(
        self,
        *args: Any,
        is_kept: bool = False,
        asks: bool = False,
        is_preview: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not asks:
            del self.fields["stores_responses"]
        if is_kept:
            del self.fields["file"]
        if is_preview:
            for name in ("source_name", "licence"):
                self.fields[name].required = False

    def ask_origin(self) -> None:
        """The import needs what its preview did without."""
        for name in ("source_name", "licence"):
            self.fields[name].required = True

    @property
    def of_file(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.ORIGIN]

    @property
    def origin(self) -> list[BoundField]:
        return [field for field in self.visible_fields() if field.name in self.ORIGIN]

    @property
    def lacks_origin(self) -> bool:
        return any(name in self.errors for name in self.ORIGIN)

    @property
    def upload_file(self) -> "File[bytes]":
        file: File[bytes] = self.cleaned_data["file"]
        return file

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for services.start_upload, except the file."""
        values = {
            name: value
            for name, value in self.cleaned_data.items()
            if name not in ("file", "upload", "stores_responses")
        }
        return values | {"file_format": values["file_format"] or None}


class ColumnsForm(forms.Form):
    """Which of a file's columns is which. Nothing needs to be chosen for names that are known."""

    def __init__(self, data: QueryDict | None = None, *, names: Sequence[str]) -> None:
        super().__init__(data, prefix="column")
        choices = [("", "–"), *((name, name) for name in names if name)]
        for target in TARGETS:
            self.fields[target] = forms.ChoiceField(
                label=_TARGETS[target], choices=choices, required=False
            )

    @property
    def columns(self) -> dict[str, str]:
        """Name that is read → heading in the file."""
        return {target: name for target, name in self.cleaned_data.items() if name}
