"""The form of an export."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.data.exports import shapes
from labeling.data.exports.offers import Offer

_STYLES = [
    (shapes.CHATS, _("Chats: lists of messages")),
    (shapes.TEXTS, _("Texts: conversations of one question only")),
]
_FORMATS = [("jsonl", "JSONL"), ("parquet", "Parquet")]


class ExportForm(forms.Form):
    """What to export. Style and format are for rows with columns; other tools' files are JSON."""

    shape = forms.ChoiceField(label=_("Shape"), widget=forms.RadioSelect)
    style = forms.ChoiceField(label=_("Conversations"), choices=_STYLES, required=False)
    file_format = forms.ChoiceField(label=_("Format"), choices=_FORMATS, required=False)
    licence = forms.MultipleChoiceField(
        label=_("Licences"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "A row is exported if all its texts are under a selected licence. Without a selection,"
            " everything is."
        ),
    )
    includes_extra = forms.BooleanField(label=_("Include late answers"), required=False)
    includes_repeats = forms.BooleanField(label=_("Include repeats"), required=False)

    def __init__(
        self, data: Any = None, *, offered: Sequence[Offer], licences: Sequence[str]
    ) -> None:
        super().__init__(data, initial={"shape": offered[0].value})
        choices = [(offer.value, offer.label) for offer in offered]
        self.fields["shape"].choices = choices  # type: ignore[attr-defined]
        if len(licences) > 1:
            # A form cannot tell an empty name from no choice.
            names = [(name or _NONE, name or _("none stated")) for name in licences]
            self.fields["licence"].choices = names  # type: ignore[attr-defined]
        else:
            del self.fields["licence"]

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments for jobs.request_export. A style or format that the shape does not have is not
        sent: the page offers all of them.
        """
        values = dict(self.cleaned_data)
        chosen = values.pop("licence", [])
        values["licences"] = ["" if name == _NONE else name for name in chosen] or None
        shape = shapes.SHAPES[values["shape"]]
        if values["style"] not in shape.styles:
            values["style"] = ""
        if values["file_format"] not in shape.formats:
            values["file_format"] = ""
        return values


_NONE = "none"
