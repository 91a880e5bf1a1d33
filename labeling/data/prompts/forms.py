"""Forms for writing, editing and finding prompts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from arithmetic import chats
from arithmetic.chats import Message
from labeling.campaigns import selection
from labeling.data.prompts.selectors import PromptFilter
from labeling.importers.drafts import MAX_CONSTRAINT, MAX_CONSTRAINTS
from labeling.models import Prompt, Source
from pages.form_parts import offer, offer_rows, sentence_case


class SentencesField(forms.CharField):
    """Sentences, one per line; blank lines are dropped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}), **options
        )

    def clean(self, value: object) -> list[str]:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MAX_CONSTRAINTS:
            raise ValidationError(
                _("Enter at most %(most)d sentences."), params={"most": MAX_CONSTRAINTS}
            )
        if any(len(line) > MAX_CONSTRAINT for line in lines):
            raise ValidationError(
                _("Each sentence can have at most %(most)d characters."),
                params={"most": MAX_CONSTRAINT},
            )
        return lines


class LabelsForm(forms.Form):
    """The labels that the author gives a prompt."""

    category = forms.ChoiceField(
        label=_("Category"),
        choices=sentence_case(Prompt.Category.choices),
        initial=Prompt.Category.OTHER,
    )
    language = forms.CharField(
        label=_("Language"), max_length=8, initial="en", help_text=_("A code such as en or pt-BR.")
    )
    split = forms.ChoiceField(
        label=_("Split"),
        choices=[("", _("Let the text decide")), *sentence_case(Prompt.Split.choices)],
        required=False,
        help_text=_(
            "It can’t be changed later, and near-duplicates of this prompt get the same one. Models"
            " learn from train only."
        ),
    )


class PromptForm(LabelsForm):
    """A prompt typed in by hand: an optional earlier conversation, and the turn to be answered."""

    system = forms.CharField(
        label=_("System message"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Leave empty for none."),
    )
    history = forms.CharField(
        label=_("Earlier turns"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Start each turn on its own line with “User:” or “Assistant:”. Leave empty for a single"
            " question."
        ),
    )
    text = forms.CharField(
        label=_("Prompt"),
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The turn to be answered."),
    )
    constraints = SentencesField(
        label=_("Constraints"),
        help_text=_(
            "What an answer must follow, one sentence per line. Writers check them off. Leave empty"
            " for none."
        ),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=64,
        required=False,
        help_text=_("For example CC-BY-4.0. Leave empty if it is your own."),
    )

    field_order = (
        "system",
        "history",
        "text",
        "constraints",
        "category",
        "language",
        "split",
        "licence",
    )

    def clean_history(self) -> list[Message]:
        turns: list[Message] = []
        for number, line in enumerate(self.cleaned_data["history"].splitlines(), start=1):
            speaker, colon, rest = line.partition(":")
            role = (
                {"user": "user", "assistant": "assistant"}.get(speaker.strip().lower())
                if colon
                else None
            )
            if role is not None:
                turns.append({"role": role, "content": rest.strip()})
            elif turns:
                turns[-1]["content"] += f"\n{line}"
            elif line.strip():
                raise ValidationError(
                    _("Line %(line)d: start with “User:” or “Assistant:”."), params={"line": number}
                )
        self._check_turns(turns)
        return [{"role": turn["role"], "content": turn["content"].strip()} for turn in turns]

    def _check_turns(self, turns: list[Message]) -> None:
        for number, turn in enumerate(turns, start=1):
            expected = "user" if number % 2 else "assistant"
            if turn["role"] != expected:
                raise ValidationError(
                    _(
                        "Turn %(turn)d must be from the %(role)s: turns alternate, starting with"
                        " the user."
                    ),
                    params={"turn": number, "role": expected},
                )
            if not turn["content"].strip():
                raise ValidationError(
                    _("Turn %(turn)d is empty. Write it or remove it."), params={"turn": number}
                )
        if len(turns) % 2:
            raise ValidationError(
                _(
                    "The last earlier turn must be from the assistant, because the prompt below is"
                    " from the user."
                )
            )

    def messages(self) -> list[Message]:
        system = self.cleaned_data["system"].strip()
        opening: list[Message] = [{"role": "system", "content": system}] if system else []
        return [
            *opening,
            *self.cleaned_data["history"],
            {"role": "user", "content": self.cleaned_data["text"].strip()},
        ]


class PromptEditForm(PromptForm):
    """The next version of a prompt. It keeps the split and licence of the old one."""

    keeps_responses = forms.BooleanField(
        label=_("Keep its responses"),
        required=False,
        initial=True,
        help_text=_(
            "Comparisons return to the queue only if their responses are kept. Clear this if the"
            " new prompt calls for a different answer."
        ),
    )

    def __init__(self, data: QueryDict | None = None, *, prompt: Prompt) -> None:
        *earlier, last = prompt.messages
        system = [turn["content"] for turn in earlier if turn["role"] == "system"]
        roles = {"user": "User", "assistant": "Assistant"}
        turns = [
            f"{roles[turn['role']]}: {turn['content']}" for turn in earlier if turn["role"] in roles
        ]
        initial = {
            "system": "\n".join(system),
            "history": "\n".join(turns),
            "text": last["content"],
            "constraints": "\n".join(prompt.constraints),
            "category": prompt.category,
            "language": prompt.language,
        }
        super().__init__(data, initial=initial)
        # Lines of text hold no tool calls, so the turns before the last stay as they are.
        self.kept: list[Message] = earlier if any(map(_has_parts, prompt.messages)) else []
        self.last: Message = last
        for name in ("split", "licence", *(("system", "history") if self.kept else ())):
            del self.fields[name]

    def messages(self) -> list[Message]:
        if not self.kept:
            return super().messages()
        return [*self.kept, chats.reworded(self.last, lambda _text: self.cleaned_data["text"])]


def _has_parts(message: Message) -> bool:
    return message["role"] == "tool" or bool(chats.parts_of(message))


class PromptFilterForm(forms.Form):
    """The filter bar of the prompts page, read from the query string."""

    q = forms.CharField(label=_("Search"), required=False, widget=forms.SearchInput)
    category = forms.ChoiceField(label=_("Category"), required=False)
    split = forms.ChoiceField(label=_("Split"), required=False)
    source = forms.ModelChoiceField(
        label=_("Source"), required=False, queryset=Source.objects.none(), empty_label=_("Any")
    )
    language = forms.ChoiceField(label=_("Language"), required=False)
    unused = forms.BooleanField(label=_("Not in a campaign"), required=False)
    retired = forms.BooleanField(label=_("Retired"), required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        offer(self.fields["category"], [("", _("Any")), *sentence_case(Prompt.Category.choices)])
        offer(self.fields["split"], [("", _("Any")), *sentence_case(Prompt.Split.choices)])
        offer(
            self.fields["language"],
            [("", _("Any")), *((code, code) for code in selection.prompt_languages())],
        )
        offer_rows(self.fields["source"], selection.prompt_sources())

    def filters(self) -> PromptFilter:
        """The filter. Invalid values are ignored rather than rejected, since links may be old."""
        self.is_valid()
        values = self.cleaned_data
        source = values.get("source")
        return PromptFilter(
            text=(values.get("q") or "").strip(),
            category=values.get("category") or "",
            split=values.get("split") or "",
            source_id=source.pk if source else None,
            language=values.get("language") or "",
            is_unused=bool(values.get("unused")),
            is_retired=bool(values.get("retired")),
        )
