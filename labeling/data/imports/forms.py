"""The form that uploads a file of prompts."""

from typing import Any

from django import forms
from django.core.files import File
from django.utils.translation import gettext_lazy as _

FORMATS = [
    ("", _("Detect automatically")),
    ("jsonl", _("JSON lines: prompt, text or messages")),
    ("csv", _("CSV: prompt, text or messages")),
    ("openassistant", _("Open-Assistant trees")),
    ("hh", _("Chosen and rejected transcripts (HH)")),
    ("hf", _("Hugging Face: messages, completion, or chosen and rejected")),
]


class ImportForm(forms.Form):
    """A file of prompts, where it comes from and how to read it."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("UTF-8, one record per line. Gzip files are unpacked."),
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
        help_text=_("An SPDX identifier, such as Apache-2.0 or CC-BY-4.0."),
    )
    with_judgments = forms.BooleanField(
        label=_("Import human replies as demonstrations and rankings as comparisons"),
        required=False,
    )
    is_strict = forms.BooleanField(
        label=_("Publish nothing if any line has a problem"), required=False
    )

    @property
    def upload(self) -> "File[bytes]":
        file: File[bytes] = self.cleaned_data["file"]
        return file

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for services.start_upload, except the file."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "file"}
        return values | {"file_format": values["file_format"] or None}
