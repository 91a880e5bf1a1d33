"""What an importer yields: drafts of prompts with their replies, and problems with line numbers;
and the shared checks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from arithmetic import chats, plain_text
from arithmetic.chats import AnswerColumns, Message, Tool, ToolCall

ROLES = ("system", "user", "assistant")
MAX_TEXT = 200_000
MAX_CONSTRAINTS = 30
MAX_CONSTRAINT = 500
MAX_LICENCE = 64
LICENCE_COLUMNS = ("licence", "license")
UPSETTING = ("violence", "sexual", "self_harm", "hate", "abuse", "other")
"""The values of Prompt.Upset, copied because a pure reader does not import models; a test compares
the two.
"""
# InstructGPT's ten use cases, as in labeling.models.Prompt.Category; a test compares the two.
CATEGORIES = (
    "generation",
    "open_qa",
    "brainstorming",
    "chat",
    "rewrite",
    "summarization",
    "classification",
    "closed_qa",
    "extract",
    "other",
)
# Names of the same use cases in Dolly.
_CATEGORY_NAMES = {
    "creative_writing": "generation",
    "general_qa": "open_qa",
    "information_extraction": "extract",
}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?", re.IGNORECASE)


@dataclass(frozen=True)
class ImportProblem:
    """What is wrong with a line, as a sentence that says what to do. Line 0 means the whole
    file. A fatal problem means that the file is damaged: nothing in it can be trusted. One that
    holds for many lines (`is_once`) is reported at the first of them only. One that `asks` is about
    columns whose meaning a person has to say.
    """

    line: int
    sentence: str
    is_fatal: bool = False
    is_once: bool = False
    asks: bool = False

    def __str__(self) -> str:
        return (
            _("Line %(line)d: %(sentence)s") % {"line": self.line, "sentence": self.sentence}
            if self.line
            else self.sentence
        )


@dataclass(frozen=True)
class Reply:
    """One answer to a draft's prompt. `rank` is 1 for the best, equal for ties, None if
    unranked. `is_human` makes it a demonstration, so it is false for whatever the file calls bad.
    `is_typed` is a rater's own text beside what they judged, a demonstration or not.
    `marks` are what the file says of the answer, such as {"label": False, "helpfulness": 2}.
    """

    text: str
    rank: int | None = None
    is_human: bool = False
    is_typed: bool = False
    author: str = ""
    sampling: Mapping[str, object] = field(default_factory=dict)
    is_ended: bool | None = None
    licence: str = ""
    marks: Mapping[str, object] = field(default_factory=dict)
    reasoning_content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()

    @classmethod
    def of(cls, message: Message, **about: Any) -> "Reply":
        """The last message of a conversation as a reply; `about` are the other fields."""
        return cls(
            message["content"],
            reasoning_content=message.get("reasoning_content", ""),
            tool_calls=tuple(message.get("tool_calls", ())),
            **about,
        )

    @property
    def turn(self) -> Message:
        return chats.answer(self.text, self.reasoning_content, self.tool_calls)

    @property
    def columns(self) -> AnswerColumns:
        return {
            "text": self.text,
            "reasoning_content": self.reasoning_content,
            "tool_calls": list(self.tool_calls),
        }

    @property
    def key(self) -> str:
        """The same for equal answers."""
        return chats.answer_key(self.text, self.reasoning_content, self.tool_calls)


@dataclass(frozen=True)
class Answer:
    """What a file says of one rater's answer besides the ranks of the replies."""

    item: str = ""
    """the file's own name of the item; answers with the same name and replies share an item"""
    id: str = ""
    """the file's own name of the answer"""
    ratings: tuple[Mapping[str, object], ...] = ()
    """by reply: question → a number, a word or true or false"""
    positions: tuple[int, ...] = ()
    """by reply: where it was shown, from 0; empty for the order of the replies"""
    at: datetime | None = None
    active_s: float | None = None
    strength: int | None = None
    reason: str | None = None
    is_all_bad: bool = False
    warnings: tuple[str, ...] = ()
    is_extra: bool = False
    is_repeat: bool = False
    """the same rater on an item that they had answered before"""
    is_edit: bool = False
    """the first reply is what the rater made of the second, in the answer with the same id"""
    guideline: str = ""
    source: str = ""
    """the exporting site's name for who wrote the text"""

    @property
    def has_details(self) -> bool:
        """Whether it says more than which response is better, and by how much."""
        details = (self.at, self.active_s, self.reason)
        return any(self.ratings) or any(detail is not None for detail in details)


@dataclass(frozen=True)
class ImportDraft:
    """A prompt with its replies. `group` names conversations that must stay in the same split;
    `is_compared` means that the replies' ranks are one person's (or one dataset's) comparison.
    """

    line: int
    messages: tuple[Message, ...]
    replies: tuple[Reply, ...] = ()
    is_compared: bool = False
    group: str = ""
    category: str = "other"
    language: str = ""
    sensitive: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    worker: str = ""
    licence: str = ""
    """the row's own; empty if it has none"""
    is_prompts_licence: bool = False
    """whether `licence` is that of the prompt alone, and not of the replies"""
    file: str = ""
    """its name in a ZIP archive"""
    answer: Answer | None = None
    """None if the file says no more than the ranks"""
    split: str = ""
    """the split of the prompt on the site that exported it"""
    source: str = ""
    """where the prompt comes from, if not from the import's source"""
    tools: tuple[Tool, ...] = ()
    """functions that the answers may call"""
    further: tuple[Message, ...] = ()
    """the turns after a human reply, if the rater wrote a whole dialogue"""

    def licence_of_reply(self, reply: Reply) -> str:
        """The reply's own licence, or the row's; empty if neither is known."""
        return reply.licence or ("" if self.is_prompts_licence else self.licence)

    def kept_of(self, reply: Reply) -> dict[str, object]:
        """What is stored with a demonstration: its licence, and that its file calls it good."""
        kept = {"licence": self.licence_of_reply(reply), "label": reply.marks.get("label")}
        return {name: value for name, value in kept.items() if value}

    @property
    def is_answered(self) -> bool:
        """Whether it holds somebody's answer: an order, ratings or a text."""
        answer = self.answer or Answer()
        is_judged = self.is_compared or answer.is_all_bad or answer.is_edit or any(answer.ratings)
        return is_judged or any(reply.is_human for reply in self.replies)


Found = Iterator[ImportDraft | ImportProblem]


class Unusable(Refusal):
    """A line cannot become a draft; the sentence says why. Caught by the reader of its format."""


def text_of(value: object, name: str) -> str:
    """`value` as text that can be stored and shown. Raises Unusable."""
    if value is None:
        raise Unusable(_("`%(name)s` is missing. Add it or remove this line.") % {"name": name})
    if not isinstance(value, str):
        raise Unusable(
            _("`%(name)s` is %(kind)s, but must be text. Fix or remove this line.")
            % {
                "name": name,
                "kind": kind_of(value),
            }
        )
    if not value.strip():
        raise Unusable(_("`%(name)s` is empty. Add text or remove this line.") % {"name": name})
    if len(value) > MAX_TEXT:
        raise Unusable(
            _(
                "`%(name)s` has %(n)d characters; the limit is %(limit)d. Shorten it or remove this"
                " line."
            )
            % {"name": name, "n": len(value), "limit": MAX_TEXT}
        )
    if plain_text.NOT_TEXT.search(value):
        raise Unusable(
            _(
                "`%(name)s` contains an invalid character (NUL or half a surrogate pair). Remove"
                " the character."
            )
            % {"name": name}
        )
    return value


def response_text(value: object, name: str) -> str:
    if isinstance(value, str) and not value.strip():
        raise Unusable(
            _("`%(name)s` is empty. Add a response or remove this line.") % {"name": name}
        )
    return text_of(value, name)


def one_prompt(text: object, name: str) -> tuple[Message, ...]:
    return ({"role": "user", "content": text_of(text, name)},)


def compared(
    line: int, messages: tuple[Message, ...], chosen: Reply, rejected: Reply
) -> ImportDraft:
    if _stripped(chosen) == _stripped(rejected):
        raise Unusable(
            _(
                "`chosen` and `rejected` are the same text, so there is no preference. Fix or"
                " remove this line."
            )
        )
    replies = (replace(chosen, rank=1), replace(rejected, rank=2))
    return ImportDraft(line, messages, replies, is_compared=True)


def _stripped(reply: Reply) -> str:
    return replace(reply, text=reply.text.strip()).key


def drafted(
    line: int, row: Mapping[str, object], read: Callable[[int, Mapping[str, object]], ImportDraft]
) -> Found:
    """The draft that `read` makes of a row, with the category, language, constraints and licence
    in its columns; or a problem.
    """
    try:
        draft = read(line, row)
        licence = licence_of(row)
    except Unusable as error:
        yield ImportProblem(line, error.sentence)
        return
    category, language, problems = labels(line, row)
    sensitive, constraints, more = asks(line, row)
    yield from [*problems, *more]
    found = (category, language, sensitive, constraints, licence)
    own = (draft.category, draft.language, draft.sensitive, draft.constraints, draft.licence)
    if found == own:  # as in most rows; a copy takes a while
        yield draft
        return
    yield replace(
        draft,
        category=category,
        language=language,
        sensitive=sensitive,
        constraints=constraints,
        licence=licence,
    )


def licence_of(row: Mapping[str, object]) -> str:
    """The licence that a row names for its texts; empty if it names none. Raises Unusable: a text
    whose licence cannot be read must not leave under another.
    """
    licences = [row[name] for name in LICENCE_COLUMNS if row.get(name) not in (None, "", [])]
    if not licences:
        return ""
    licence = licences[0]
    if isinstance(licence, list) and len(licence) == 1:
        licence = licence[0]
    if (
        not isinstance(licence, str)
        or len(licence.strip()) > MAX_LICENCE
        or plain_text.NOT_TEXT.search(licence)
    ):
        raise Unusable(
            _("`license` must be one name of at most %(n)d characters. Fix or remove this line.")
            % {"n": MAX_LICENCE}
        )
    return licence.strip()


def labels(line: int, row: Mapping[str, object]) -> tuple[str, str, list[ImportProblem]]:
    """Category and language of a row. An unusable label is reported and left out; the prompt is
    kept.
    """
    category, why_category = _category(row.get("category"))
    language, why_language = _language(row.get("language", row.get("lang")))
    sentences = [sentence for sentence in (why_category, why_language) if sentence]
    return (
        category,
        language,
        [ImportProblem(line, sentence, is_once=True) for sentence in sentences],
    )


def asks(
    line: int, row: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...], list[ImportProblem]]:
    """Kinds of upsetting content (`sensitive`) and sentences that an answer must respect
    (`constraints`): lists, or text with commas between kinds and one line per sentence. An unknown
    kind counts as “other”: a warning too many is better than one too few.
    """
    kinds, why_kinds = _sensitive(row.get("sensitive"))
    sentences, why_sentences = _constraints(row.get("constraints"))
    return (
        kinds,
        sentences,
        [ImportProblem(line, sentence) for sentence in (why_kinds, why_sentences) if sentence],
    )


def _sensitive(value: object) -> tuple[tuple[str, ...], str]:
    # False and empty lists are how datasets say "none".
    if value is None or value is False or value == "" or value == []:
        return (), ""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return ("other",), _(
            "`sensitive` is not a list; the prompt counts as “other upsetting content”."
        )
    keys = {re.sub(r"[\s-]+", "_", part.strip().lower()) for part in parts} - {""}
    unknown = sorted(keys - set(UPSETTING))
    known = tuple(kind for kind in UPSETTING if kind in keys or (kind == "other" and unknown))
    why = _("Unknown `sensitive` value “%(value)s”; it counts as “other”.")
    return known, why % {"value": shown(", ".join(unknown))} if unknown else ""


def _constraints(value: object) -> tuple[tuple[str, ...], str]:
    if value is None or value == "":
        return (), ""
    parts = value.splitlines() if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(
        isinstance(part, str) and not plain_text.NOT_TEXT.search(part) for part in parts
    ):
        return (), _("`constraints` is not a list of sentences; it is ignored.")
    sentences = tuple(part.strip()[:MAX_CONSTRAINT] for part in parts if part.strip())
    if len(sentences) > MAX_CONSTRAINTS:
        why = _("`constraints` has more than %(most)d sentences; the rest are ignored.") % {
            "most": MAX_CONSTRAINTS
        }
        return sentences[:MAX_CONSTRAINTS], why
    return sentences, ""


def _category(value: object) -> tuple[str, str]:
    """The category to store, and a sentence if it differs from the given one."""
    if value is None or value == "":
        return "other", ""
    if not isinstance(value, str):
        return "other", _(
            "`category` is %(kind)s, but must be text; the prompt is filed under “other”."
        ) % {"kind": kind_of(value)}
    key = re.sub(r"[\s-]+", "_", value.strip().lower())
    key = _CATEGORY_NAMES.get(key, key)
    if key in CATEGORIES:
        return key, ""
    return "other", _("Unknown `category` “%(value)s”; the prompt is filed under “other”.") % {
        "value": shown(value)
    }


def _language(value: object) -> tuple[str, str]:
    if value is None or value == "":
        return "", ""
    if isinstance(value, str) and _LANGUAGE.fullmatch(value.strip()):
        return value.strip().lower(), ""
    return "", _("`language` is not a code such as en or pt-br; it is ignored.")


def shown(value: object) -> str:
    """A value from the file, short and fit to stand in a sentence that is stored."""
    return plain_text.storable(str(value).strip()[:40])


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    if isinstance(value, bool):
        return _("a yes/no value")
    if isinstance(value, int | float):
        return _("a number")
    if isinstance(value, list):
        return _("a list")
    if isinstance(value, dict):
        return _("an object")
    return _("nothing") if value is None else _("text")
