"""Forms of the model registry: a model, an external model, and its card."""

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from pages.edit_conflicts import ConflictCheck
from pages.form_parts import NameField, segmented, sentence_case
from training.models import TrainedModel
from training.registry import selectors


class ModelForm(forms.Form):
    """A base model to register."""

    name = NameField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=sentence_case(TrainedModel.Kind.choices),
        initial=TrainedModel.Kind.POLICY,
        widget=segmented(),
    )
    location = forms.CharField(
        label=_("Folder or hub name"),
        max_length=1024,
        help_text=_(
            "Full path of a folder with config.json, weights and tokenizer, or a hub name such as"
            " owner/model."
        ),
    )
    is_elsewhere = forms.BooleanField(
        label=_("The folder is only on the GPU nodes"),
        required=False,
        help_text=_("The folder is then checked when a run starts."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        required=False,
        help_text=_("As on the model card, for example Apache-2.0."),
    )
    notes = forms.CharField(
        label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class EndpointForm(forms.Form):
    """An external model to register."""

    name = NameField(label=_("Name"), max_length=200)
    url = forms.CharField(
        label=_("URL"),
        max_length=1024,
        help_text=_("The part before /chat/completions, for example https://host/v1."),
    )
    served_name = forms.CharField(
        label=_("Model"), max_length=200, help_text=_("The name the server uses for the model.")
    )
    key_variable = forms.CharField(
        label=_("Key variable"),
        max_length=100,
        required=False,
        help_text=_(
            "For example, PREFERABLY_KEY_HOST. Set it where models are tried and on the nodes. The"
            " key itself is never stored."
        ),
    )
    serves = forms.ModelChoiceField(
        label=_("Served model"),
        queryset=TrainedModel.objects.none(),
        required=False,
        empty_label=_("A model that is not registered here"),
        help_text=_(
            "The registered model that answers there. Its training data then counts for these"
            " answers too."
        ),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        required=False,
        help_text=_(
            "The licence its answers may be used under, according to its terms. Leave empty to use"
            " that of the served model."
        ),
    )
    notes = forms.CharField(
        label=_("Notes"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Mapping[str, object] | None = None) -> None:
        super().__init__(data)
        of_ours = selectors.models(kind=TrainedModel.Kind.POLICY).filter(endpoint=None)
        self.fields["serves"].queryset = of_ours.exclude(stage=TrainedModel.Stage.RETIRED)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        served = cleaned.get("serves")
        cleaned["licence"] = cleaned.get("licence") or (served.licence if served else "")
        if not cleaned["licence"] and "licence" not in self.errors:
            self.add_error("licence", _("Enter the licence its answers may be used under."))
        return cleaned


class ModelEditForm(ConflictCheck, forms.Form):
    """What a person can change about a model."""

    stage = forms.ChoiceField(
        label=_("Stage"),
        choices=sentence_case(TrainedModel.Stage.choices),
        widget=segmented(),
        help_text=_("An approved model's weights are kept; a retired model is no longer offered."),
    )
    licence = forms.CharField(label=_("Licence"), max_length=64, required=False)
    notes = forms.CharField(
        label=_("Notes"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    card = forms.CharField(
        label=_("Card"),
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 20}),
        help_text=_(
            "Markdown. Published with the weights as README.md. Leave empty to generate it."
        ),
    )

    def clean_card(self) -> str:
        return str(self.cleaned_data["card"]).replace("\r\n", "\n")

    def clean_notes(self) -> str:
        return str(self.cleaned_data["notes"]).replace("\r\n", "\n")
