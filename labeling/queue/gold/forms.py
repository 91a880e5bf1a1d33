"""Forms for a campaign's gold settings, and for a file of golds."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.kinds import words
from labeling.models import Campaign
from labeling.queue.gold.services import SETTINGS
from pages.edit_conflicts import ConflictCheck

if TYPE_CHECKING:
    CampaignModelForm = forms.ModelForm[Campaign]
else:
    CampaignModelForm = forms.ModelForm


BIGGEST_FILE = 10 * 1024 * 1024


class GoldSettingsForm(ConflictCheck, CampaignModelForm):
    class Meta:
        model = Campaign
        fields = list(SETTINGS)
        labels = words.labels(SETTINGS)
        help_texts = words.help_texts(SETTINGS)


class GoldFileForm(forms.Form):
    file = forms.FileField(
        label=_("Gold items as JSON lines"),
        help_text=_(
            "One object per line: prompt, responses (a list of texts, or of objects with thinking"
            " and tool calls as imports have them), ranks (a list of numbers; 1 is best) and,"
            " optionally, tools and note."
        ),
    )

    def clean_file(self) -> object:
        file = self.cleaned_data["file"]
        if file.size > BIGGEST_FILE:
            raise forms.ValidationError(
                _("The file is larger than 10 MB. Split it into smaller files.")
            )
        return file
