"""Input from the playground page: a question as JSON, and the form that saves an answer."""

import json
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal
from arithmetic.chats import Message
from labeling.data.prompts.forms import LabelsForm
from training.models import TrainedModel
from training.playground import services
from training.playground.services import ChatPart, KeptAnswer
from training.processes.completions import Sampling

MAX_SEED = 2**31 - 1


MAX_TEXT = 200_000


class SamplingForm(forms.Form):
    """Sampling settings. Without a seed, answers differ each time."""

    temperature = forms.FloatField(
        label=_("Temperature"),
        min_value=0,
        max_value=5,
        initial=0.7,
        help_text=_("0: most likely token."),
    )
    top_p = forms.FloatField(label=_("Top-p"), min_value=0.01, max_value=1, initial=0.95)
    max_new_tokens = forms.IntegerField(
        label=_("Max response length"),
        min_value=1,
        max_value=32768,
        initial=256,
        help_text=_("tokens"),
    )
    seed = forms.IntegerField(
        label=_("Seed"),
        min_value=0,
        max_value=MAX_SEED,
        required=False,
        help_text=_("Empty = random"),
    )

    def sampling(self) -> Sampling:
        """Call on a valid form."""
        return Sampling(**self.cleaned_data)


class UnreadableQuestion(Refusal):
    """The sentence is for the person who asked."""


def question_in(body: bytes) -> tuple[list[ChatPart], Sampling]:
    """{"parts": [{"model": …, "messages": […]}], "sampling": {…}}. Raises UnreadableQuestion."""
    try:
        sent = json.loads(body)
        wanted = [(int(part["model"]), list(part["messages"])) for part in sent["parts"]]
        settings = SamplingForm(
            {name: value for name, value in sent["sampling"].items() if value is not None}
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise UnreadableQuestion(
            str(_("The question could not be read. Reload the page."))
        ) from problem
    if not settings.is_valid():
        field, problems = next(iter(settings.errors.items()))
        raise UnreadableQuestion(f"{settings.fields[field].label}: {problems[0]}")
    models = TrainedModel.objects.in_bulk([pk for pk, _messages in wanted if 0 < pk < 2**63])
    if any(pk not in models for pk, _messages in wanted) or not all(
        _are_turns(messages) for _pk, messages in wanted
    ):
        raise UnreadableQuestion(str(_("The question could not be read. Reload the page.")))
    return [ChatPart(models[pk], messages) for pk, messages in wanted], settings.sampling()


def _are_turns(messages: list[object]) -> bool:
    return all(
        isinstance(turn, dict) and all(isinstance(value, str) for value in turn.values())
        for turn in messages
    )


class KeepForm(LabelsForm):
    """Saves a turn after review: a prompt, or with an answer a demonstration."""

    earlier = forms.CharField(
        widget=forms.HiddenInput, required=False, max_length=MAX_TEXT, strip=False
    )
    model = forms.ModelChoiceField(
        TrainedModel.objects.all(), widget=forms.HiddenInput, required=False
    )
    written = forms.CharField(
        widget=forms.HiddenInput, required=False, max_length=MAX_TEXT, strip=False
    )
    sampling = forms.CharField(widget=forms.HiddenInput, required=False, max_length=2000)
    is_ended = forms.NullBooleanField(widget=forms.HiddenInput, required=False)
    text = forms.CharField(
        label=_("Prompt"), max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )
    answer = forms.CharField(
        label=_("Answer"),
        max_length=MAX_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_(
            "Correct any mistakes: models learn from the text as it is here. The model's original"
            " answer is kept too."
        ),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        help_text=_(
            "The licence it may be used under, for example CC-BY-4.0. Some model licences also"
            " apply to what is made with their answers."
        ),
    )

    field_order = ("text", "answer", "category", "language", "split", "licence")

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        is_demonstration: bool,
        initial: dict[str, str] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        if is_demonstration:
            self.fields["answer"].required = self.fields["written"].required = self.fields[
                "model"
            ].required = True
        else:
            for name in ("answer", "written", "model", "sampling", "is_ended"):
                del self.fields[name]

    def clean_earlier(self) -> list[dict[str, str]]:
        try:
            turns = json.loads(self.cleaned_data["earlier"] or "[]")
        except (ValueError, RecursionError):
            turns = None
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise forms.ValidationError(
                _("The earlier messages could not be read. Save it from the conversation again.")
            )
        kept = [
            {"role": str(turn.get("role")), "content": str(turn.get("content"))} for turn in turns
        ]
        if any(
            turn["role"] not in ("system", "user", "assistant") or not turn["content"].strip()
            for turn in kept
        ):
            raise forms.ValidationError(
                _("The earlier messages could not be read. Save it from the conversation again.")
            )
        return kept

    def clean_sampling(self) -> Sampling:
        try:
            form = SamplingForm(json.loads(self.cleaned_data["sampling"] or "{}"))
        except (ValueError, TypeError, RecursionError):
            form = SamplingForm({})
        return form.sampling() if form.is_valid() else Sampling()

    def messages(self) -> list[Message]:
        """Call on a valid form."""
        return [
            *self.cleaned_data["earlier"],
            {"role": "user", "content": self.cleaned_data["text"].strip()},
        ]

    def kept_answer(self) -> KeptAnswer:
        """Call on a valid form of a demonstration."""
        cleaned = self.cleaned_data
        return services.KeptAnswer(
            cleaned["model"], cleaned["written"], cleaned["sampling"], cleaned["is_ended"]
        )
