"""The form that uploads a suite."""

from collections.abc import Mapping, Sequence

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pages.form_parts import NameField, sentence_case
from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites.formats import foreign, public, reading, uploads
from training.benchmarks.suites.formats.reading import Reading
from training.benchmarks.suites.formats.uploads import SuiteFile
from training.models import Suite

MAX_FILES = 3
_AS_IN_FILE = _("As the file says")


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several; cleaned to a list."""

    widget = FilesInput

    def clean(self, data: object, initial: object = None) -> "list[UploadedFile[bytes]]":
        files: Sequence[object] = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(FilesField, self).clean(upload, initial) for upload in files or [None]]
        if len(cleaned) > MAX_FILES:
            raise forms.ValidationError(
                gettext("Choose at most %(n)d files: suite.yaml, items.jsonl and task.yaml.")
                % {"n": MAX_FILES}
            )
        if sum(file.size or 0 for file in cleaned) > uploads.MAX_BYTES:
            raise forms.ValidationError(
                gettext("The files are larger than %(n)d MB together.")
                % {"n": uploads.MAX_BYTES >> 20}
            )
        return cleaned


class SuiteForm(forms.Form):
    """Files, and fields of suite.yaml that stand in for those of the files."""

    upload = FilesField(
        label=_("Files"),
        help_text=_(
            "suite.yaml and items.jsonl, one zip with both, one public file such as XSTest's CSV,"
            " or a task of lm-evaluation-harness: its YAML and its data."
        ),
    )
    shape = forms.ChoiceField(label=_("Format"), required=False)
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        required=False,
        help_text=_("Needed if the file does not say. For example CC-BY-4.0."),
    )
    version = forms.CharField(
        label=_("Version"),
        max_length=32,
        required=False,
        help_text=_("Needed if the file does not say. A changed suite is a new version."),
    )
    name = NameField(label=_("Name"), max_length=120, required=False)
    suite_id = forms.CharField(
        label=_("Id"),
        max_length=64,
        required=False,
        help_text=_("The same for all versions of a suite."),
    )
    area = forms.ChoiceField(label=_("Area"), required=False)
    scorer = forms.ChoiceField(label=_("Scorer"), required=False)
    source = forms.CharField(label=_("Source"), max_length=500, required=False)

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        files: MultiValueDict[str, "UploadedFile[bytes]"] | None = None,
    ) -> None:
        super().__init__(data, files)
        own = (reading.OWN, gettext("suite.yaml and items.jsonl"))
        readers = [(name, reader.title) for name, reader in public.READERS.items()]
        offered = {
            "shape": [("", gettext("Detect automatically")), own, *readers],
            "area": [("", _AS_IN_FILE), *sentence_case(Suite.Area.choices)],
            "scorer": [
                ("", _AS_IN_FILE),
                *((scorer.name, gettext(scorer.title)) for scorer in SCORERS.values()),
            ],
        }
        for name, choices in offered.items():
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def reading(self) -> Reading:
        """What the files hold. Call on a valid form."""
        cleaned = self.cleaned_data
        asked = {name: cleaned[name] for name in ("licence", "version", "name", "source")}
        asked |= {"id": cleaned["suite_id"], "area": cleaned["area"], "scorer": cleaned["scorer"]}
        files = [SuiteFile(file.name or "", file.read()) for file in cleaned["upload"]]
        return foreign.read(files, shape=cleaned["shape"], asked=asked)
