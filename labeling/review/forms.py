"""Forms of review: the order of an item, scores of demonstrations, the queue's filter, and
appeals.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.models import Adjudication, Campaign
from labeling.review import selectors
from labeling.review.services import Remark
from pages import edit_conflicts
from pages.edit_conflicts import ConflictCheck
from pages.form_parts import segmented, sentence_case

LONGEST = 2_000


def _words(label: Any, *, rows: int = 2, help_text: Any = "") -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows, "maxlength": LONGEST})
    return forms.CharField(
        label=label, required=False, max_length=LONGEST, widget=area, help_text=help_text
    )


class RemarksForm(ConflictCheck, forms.Form):
    """Feedback on answers. A remark on one that is no longer on the page is not lost, and answers
    that came after the page was opened get none.
    """

    judgments: Sequence[int]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        for name in self.data:
            text = self.data.get(name, "").strip()
            if name.startswith(("feedback-", "score-")) and text and name not in self.fields:
                sentence = gettext(
                    "An answer was corrected, set aside or withdrawn after you opened the page."
                )
                self.add_error(None, edit_conflicts.with_typed(sentence, text))
        return cleaned

    @property
    def judgments_shown(self) -> list[int]:
        return [pk for pk in self.judgments if f"feedback-{pk}" in self.data]


class ReviewDecisionForm(RemarksForm):
    """The order of an item's responses by their letters on the page, why raters disagreed, and an
    optional comment on each.
    """

    reason = forms.ChoiceField(
        label=_("Cause of disagreement"),
        choices=sentence_case(Adjudication.Reason.choices),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a cause of the disagreement.")},
    )
    note = _words(
        _("Why this ranking is right"),
        help_text=_(
            "Saved with the decision. If this becomes a gold item, raters see it when feedback"
            " is on."
        ),
    )
    everybody = _words(
        _("Feedback to everyone who answered"),
        help_text=_("Sent to everyone without individual feedback. Leave empty to send nothing."),
    )
    promotes = forms.BooleanField(
        label=_("Make this ranking a gold item"),
        required=False,
        help_text=_("It is then mixed into the items of raters who have not answered this one."),
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        letters: Sequence[str],
        judgments: Sequence[int],
        initial: dict[str, object],
        begins_with: Mapping[str, object],
    ) -> None:
        super().__init__(data, initial=initial)
        self.begins_with = begins_with
        self.letters, self.judgments = letters, judgments
        places = [("", "–"), *((str(rank), str(rank)) for rank in range(1, len(letters) + 1))]
        for letter in letters:
            self.fields[f"rank-{letter}"] = forms.TypedChoiceField(
                label=_("Rank of %(letter)s") % {"letter": letter},
                choices=places,
                coerce=int,
                empty_value=None,
                required=False,
                widget=forms.Select(attrs={"class": "input"}),
            )
        for pk in judgments:
            self.fields[f"feedback-{pk}"] = _words(_("Feedback to this rater"))

    def ranks(self) -> dict[str, int | None]:
        return {letter: self.cleaned_data[f"rank-{letter}"] for letter in self.letters}

    def remarks(self) -> dict[int, Remark]:
        everybody = self.cleaned_data["everybody"].strip()
        return {
            pk: Remark(feedback=self.cleaned_data[f"feedback-{pk}"].strip() or everybody)
            for pk in self.judgments_shown
        }


class ReviewScoresForm(RemarksForm):
    """A score from 1 to 7 for each demonstration of an item, and an optional comment to its
    author.
    """

    def __init__(
        self,
        data: QueryDict | None,
        *,
        judgments: Sequence[int],
        initial: dict[str, object],
        begins_with: Mapping[str, object],
    ) -> None:
        super().__init__(data, initial=initial)
        self.begins_with = begins_with
        self.judgments = judgments
        for pk in judgments:
            self.fields[f"score-{pk}"] = forms.TypedChoiceField(
                label=_("Score (7 is best)"),
                choices=[(str(score), str(score)) for score in range(1, 8)],
                coerce=int,
                empty_value=None,
                required=False,
                widget=segmented(),
            )
            self.fields[f"feedback-{pk}"] = _words(_("Feedback to the writer"))

    def remarks(self) -> dict[int, Remark]:
        return {
            pk: Remark(
                self.cleaned_data[f"score-{pk}"], self.cleaned_data[f"feedback-{pk}"].strip()
            )
            for pk in self.judgments_shown
        }


class QueueForm(forms.Form):
    """The filter bar of the review queue, read from the query string."""

    order = forms.ChoiceField(label=_("Sort by"), required=False)
    names = forms.ChoiceField(
        label=_("Raters"),
        required=False,
        choices=[("", _("Hidden")), ("shown", _("Shown by name"))],
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, campaign: Campaign) -> None:
        super().__init__(data)
        self.orders = selectors.orders_of(campaign)
        order = self.fields["order"]
        assert isinstance(order, forms.ChoiceField)
        order.choices = [(choice.value, choice.label) for choice in self.orders]

    @property
    def choice(self) -> tuple[str, bool]:
        """(order, whether raters' names are hidden). Invalid values are ignored rather than
        rejected, since links may be old.
        """
        self.is_valid()
        order = self.cleaned_data.get("order") or self.orders[0].value
        return str(order), self.cleaned_data.get("names") != "shown"


class WordsForm(forms.Form):
    """A short text: an appeal, or the answer to one."""

    text = forms.CharField(max_length=LONGEST)
