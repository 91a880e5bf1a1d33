"""Fields that nothing explains, and that may say whether an answer is good or who wrote it: known
by the words of their names, or by their values. An answer beside one is no demonstration.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from django.utils.translation import gettext as _

from labeling.importers import messages

_STEMS = (
    *("accept", "approv", "award", "correct", "decision", "disapprov", "dislike", "downvote"),
    *("evaluat", "feedback", "flag", "golden", "grade", "hallucinat", "harm", "helpful", "invalid"),
    *("judg", "label", "moderat", "offensive", "outcome", "prefer", "quality", "rank", "rating"),
    *("refus", "reject", "review", "reward", "safe", "score", "status", "synthe", "thumb", "toxi"),
    *("truthful", "unsafe", "upvote", "valid", "verdict", "violat", "vote", "winner"),
    *("author", "checkpoint", "chatgpt", "distill", "engine", "generator", "generated", "model"),
)
"""How words begin that make a name one of a verdict or an author."""
_WORDS = {
    *("bad", "best", "better", "good", "like", "liked", "likes", "wrong", "worse", "worst", "spam"),
    *("abuse", "abusive", "hate", "nsfw", "pass", "passed", "fail", "failed", "stars", "points"),
    *("keep", "kept", "discard", "discarded", "deleted", "hidden", "true", "false", "right"),
    *("rate",),
    *("ai", "bot", "llm", "lm", "gpt", "machine", "creator", "writer", "rated", "flags", "karma"),
}
_COUNTS = {
    *("id", "ids", "idx", "index", "uid", "key", "no", "nr", "n", "num", "number", "line", "row"),
    *("turn", "turns", "seed", "page", "offset", "length", "len", "count", "tokens", "words"),
    *("chars", "time", "timestamp", "date", "year", "day", "month", "created", "at", "epoch"),
    *("part", "step", "level", "round", "shard", "size", "version", "chunk", "position", "fold"),
    *("by", "column", "col", "start", "end", "offsets", "user", "worker", "batch", "sample"),
}
"""Last words of names whose numbers count or number something."""
_SAYS = {
    *("accept", "accepted", "approve", "approved", "bad", "correct", "discard", "dislike"),
    *("disliked", "downvote", "fail", "failed", "false", "flagged", "good", "harmful", "harmless"),
    *("incorrect", "invalid", "keep", "like", "liked", "negative", "no", "ok", "okay", "pass"),
    *("passed", "positive", "refusal", "refused", "reject", "rejected", "right", "safe", "spam"),
    *("thumb_up", "thumb_down", "thumbs_up", "thumbs_down", "toxic", "true", "unsafe", "up"),
    *("down", "upvote", "valid", "wrong", "yes", "y", "n", "unacceptable", "acceptable", "poor"),
    *("excellent",),
    *("chosen", "best", "worst", "ignore", "ignored", "deleted", "hidden", "unhelpful", "helpful"),
}
"""What verdicts say, in lower case and without signs."""
_NEGATIVE = (
    *("bad", "delet", "discard", "dislike", "downvote", "fail", "flag", "harmful", "hate"),
    *(
        "incorrect",
        "invalid",
        "nsfw",
        "offensive",
        "refus",
        "reject",
        "spam",
        "synthe",
        "toxi",
        "unsafe",
    ),
    *("violat", "wrong", "worse", "worst", "abus", "hallucinat", "generated", "unhelpful"),
)
"""How words begin that say, when they are true, that an answer is bad."""
_REVIEWS = {
    *("assignmentstatus", "reviewstatus", "reviewresult", "approvalstatus"),
    *("accepted", "isaccepted"),
}
"""Columns with what a reviewer or a requester made of an answer."""
_REJECTED = {"reject", "rejected", "disapproved", "declined", "denied", "false"}
_SIGNS = re.compile("[👍👎✅❌✓✗✔✘★☆⭐💯🚫]")
_MODEL = re.compile(
    r"(?:[\w.\-]+/)?(?:chatgpt|gpt|claude|gemini|llama|alpaca|vicuna|mistral|mixtral|qwen|deepseek"
    r"|falcon|gemma|phi|davinci|text-davinci|o[134]|palm|bard|pythia|koala|wizardlm|zephyr|openai"
    r"|anthropic|tulu|olmo|grok|bloom|bloomz|command|cohere|dolly|guanaco|nemotron|starling|yi"
    r"|glm|chatglm|baichuan|internlm|kimi|llm|ai|bot|machine|synthetic)"
    r"(?:[\-_./: ]?\w*\d[\w.\-:/ ]{0,40}|[\-_./:]\w[\w.\-:/]{0,40})?",
    re.IGNORECASE,
)
_SIZED = re.compile(r"\S*\d(?:\.\d+)?[bB](?:[\-_]\S*)?")
"""Names of models with their size, such as “pico-1.3b-chat”."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
MAX_NAMED = 20
"""Names that a sentence lists."""
_LONGEST = 60
_DEEPEST = 4
Field = tuple[str, str, object]
"""A name, the names of the parts down to a value, and the value."""
_IN_MESSAGES = {
    *("role", "content", "weight", "from", "value", "text", "tool_calls", "function_call"),
    *("channel", "recipient", "content_type"),
    *messages.THINKING,
}
_LONG_STEMS = tuple(stem for stem in _STEMS if len(stem) > 4)


def doubtful(row: Mapping[str, object], explained: Collection[str]) -> set[str]:
    """The names of a row's fields, other than those `explained`, that may hold a verdict or an
    author. Objects and lists are looked into.
    """
    return {name for name, path, value in own_fields(row, explained) if _speaks(path, value)}


def of_row(row: Mapping[str, object], explained: Collection[str]) -> set[str]:
    """Such fields of a row, and of its last message."""
    return {name for name, path, value in all_fields(row, explained) if _speaks(path, value)}


def own_fields(row: Mapping[str, object], explained: Collection[str]) -> Iterator[Field]:
    """The fields of a row that are not explained."""
    for name, value in row.items():
        if name not in explained:
            yield from ((name, path, part) for path, part in _fields(name, value))


def all_fields(row: Mapping[str, object], explained: Collection[str]) -> Iterator[Field]:
    """Such fields of a row, and of its last message."""
    yield from own_fields(row, explained)
    for name in row.keys() & explained:
        chat = row[name]
        last = chat[-1] if isinstance(chat, list) and chat else None
        if isinstance(last, dict) and {"role", "from"} & last.keys():
            for inner, path, part in own_fields(last, _IN_MESSAGES):
                yield f"{name}[].{inner}", path, part


def rejection(row: Mapping[str, object]) -> str:
    """A sentence if the row says that its answer was rejected in review; empty if not."""
    for name, value in row.items():
        if is_review(name) and str(value).strip().lower() in _REJECTED:
            sentence = _("`%(name)s` is “%(value)s”: the answer was rejected, so it is left out.")
            return sentence % {"name": name, "value": str(value).strip()}
    return ""


def is_review(name: str) -> bool:
    """Whether a column has what a reviewer or a requester made of an answer."""
    return re.sub(r"[\W_]+", "", name).lower() in _REVIEWS


def is_negative(name: str) -> bool:
    """Whether a field's name speaks of what is bad, so that “true” in it is bad."""
    return any(word.startswith(_NEGATIVE) for word in _words(name))


def counts(name: str) -> bool:
    """Whether a field's numbers count or number something."""
    words = _words(name)
    return bool(words) and (words[-1] in _COUNTS or words[0] in ("n", "num"))


def last_word(name: str) -> str:
    """The last word of a field's name, without numbers such as that of `topic_2`."""
    return next((word for word in reversed(_words(name)) if not word.isdigit()), "")


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _fields(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and depth < _DEEPEST:
        for inner, part in value.items():
            yield from _fields(f"{name} {inner}", part, depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for part in value[:20]:
            yield from _fields(name, part, depth + 1)
    else:
        yield name, value


def _speaks(name: str, value: object) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return False
    return _is_named_so(name) or _looks_so(name, value)


def _is_named_so(name: str) -> bool:
    words = _words(name)
    flat = "".join(words)
    return (
        any(word in _WORDS or word.startswith(_STEMS) for word in words)
        or any(stem in flat for stem in _LONG_STEMS)
        or words[:1] == ["is"]
    )


def _looks_so(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _LONGEST:
            return False
        said = re.sub(r"\W+", "_", text.lower()).strip("_")
        said = said.removeprefix("not_").removeprefix("very_")
        if said in _SAYS or _SIGNS.search(text):
            return True
        if _MODEL.fullmatch(text) or _SIZED.fullmatch(text):
            return True
    number = _number(value)
    # A verdict is +1 or -1, 1 or 0, or a share; a number below zero counts nothing.
    return number is not None and number <= 1 and not counts(name)


def _number(value: object) -> float | None:
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
