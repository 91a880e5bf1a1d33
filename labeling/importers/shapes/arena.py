"""Two models' answers and who won (Chatbot Arena, MT-Bench, HelpSteer's preferences), and the
questions of MT-Bench with several `turns`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from arithmetic.chats import Message
from labeling.importers.annotations import legends
from labeling.importers.drafts import (
    Answer,
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    drafted,
    one_prompt,
    response_text,
    shown,
)
from labeling.importers.messages import conversation, ends_with_user
from labeling.importers.shapes import chats, reading
from labeling.importers.shapes.reading import Row

Ranks = tuple[int | None, int | None]
ALL_BAD: Ranks = (None, None)
RANKS: Mapping[str, Ranks] = {
    legends.FIRST: (1, 2),
    legends.SECOND: (2, 1),
    legends.TIE: (1, 1),
    legends.ALL_BAD: ALL_BAD,
}
_WINNER_COLUMNS = ("winner_model_a", "winner_model_b", "winner_tie")
MAX_WORKER = 40


def _turns(line: int, row: Row) -> Found:
    """The first turn. A later one needs an answer before it."""
    turns = row.get("turns")
    if isinstance(turns, list) and turns and isinstance(turns[0], dict):
        # The same with roles: a conversation.
        yield from drafted(
            line,
            row,
            lambda line, row: chats.of_messages(
                line, chats.chat(row["turns"], "turns"), "turns", is_human=True
            ),
        )
        return
    if not isinstance(turns, list) or not turns:
        yield ImportProblem(line, _("`turns` is not a list of texts. Fix or remove this line."))
        return
    yield from drafted(
        line, row, lambda line, _row: ImportDraft(line, one_prompt(turns[0], "turns[0]"))
    )
    if len(turns) > 1:
        sentence = _(
            "Only the first of several `turns` is imported: a later one needs an answer before it."
        )
        yield ImportProblem(line, sentence, is_once=True)


def _battle(line: int, row: Row) -> ImportDraft:
    prompt, *said = _single_turns(row) if "response_a" in row else _conversations(row)
    models = [reading.author_of(row, f"model_{side}") for side in "ab"]
    ranks = _ranks(row)
    replies = tuple(
        replace(reply, rank=rank, author=model)
        for reply, rank, model in zip(said, ranks, models, strict=True)
    )
    if said[0].key.strip() == said[1].key.strip() and models[0] == models[1]:
        raise Unusable(_("Both responses are the same. Fix or remove this line."))
    return judged(ImportDraft(line, prompt, replies, worker=_worker(row)))


def judged(draft: ImportDraft, strength: int | None = None) -> ImportDraft:
    """The draft with the comparison that its ranks say. Where nothing has a rank, all are bad."""
    is_all_bad = all(reply.rank is None for reply in draft.replies)
    answer = Answer(strength=strength, is_all_bad=is_all_bad) if is_all_bad or strength else None
    return replace(draft, is_compared=not is_all_bad, answer=answer)


def _conversations(row: Row) -> tuple[Any, ...]:
    whole = [
        chats.chat(_unfolded(row.get(f"conversation_{side}")), f"conversation_{side}")
        for side in "ab"
    ]
    if row.get("turn") == 1:
        # The judge saw the first turn only.
        whole = [_first_turn(messages) for messages in whole]
    first, second = whole
    if first[-1]["role"] != "assistant" or second[-1]["role"] != "assistant":
        raise Unusable(_("The conversations do not end with a reply. Remove this line."))
    if first[:-1] != second[:-1]:
        raise Unusable(
            _(
                "The two conversations differ before the last reply, so their last replies do not"
                " answer the same prompt. This line is left out."
            )
        )
    return first[:-1], Reply.of(first[-1]), Reply.of(second[-1])


def _first_turn(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    end = next(n for n, message in enumerate(messages) if message["role"] == "user") + 2
    return messages[:end]


def _single_turns(row: Row) -> tuple[Any, ...]:
    """Prompt and answers as texts, or as JSON lists with one text per turn."""
    texts = []
    for name in ("prompt", "response_a", "response_b"):
        value = _unfolded(row.get(name))
        if isinstance(value, list) and len(value) != 1:
            raise Unusable(
                _(
                    "`%(name)s` has several turns, and the answers before the last differ. This"
                    " line is left out."
                )
                % {"name": name}
            )
        texts.append(value[0] if isinstance(value, list) else value)
    prompt, first, second = texts
    return (
        one_prompt(prompt, "prompt"),
        Reply(response_text(first, "response_a")),
        Reply(response_text(second, "response_b")),
    )


def _unfolded(value: object) -> Any:
    """A list that a CSV cell holds as JSON."""
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _ranks(row: Row) -> Ranks:
    if "winner" in row:
        winner = row["winner"]
        is_name = isinstance(winner, str) and row.get("model_a") != row.get("model_b")
        if is_name and winner in (row.get("model_a"), row.get("model_b")):
            return (1, 2) if winner == row.get("model_a") else (2, 1)
        meaning = legends.meaning_of(winner) if isinstance(winner, str) else ""
        ranks = RANKS.get(meaning)
        if ranks is None:
            raise Unusable(
                _("`winner` is “%(value)s”, but must be model_a, model_b or tie.")
                % {"value": shown(winner)}
            )
        return ranks
    flags = [reading.number_of(row.get(name)) for name in _WINNER_COLUMNS]
    if sorted(flags, key=str) != [0, 0, 1]:
        raise Unusable(_("The winner is missing. Add it or remove this line."))
    return ((1, 2), (2, 1), (1, 1))[flags.index(1)]


def _worker(row: Mapping[str, object]) -> str:
    judge = row.get("judge")
    name = judge[-1] if isinstance(judge, list) and judge else judge
    return shown(name)[:MAX_WORKER] if isinstance(name, str) else ""


_STRONGEST = 3
_HELPSTEER = ("overall_preference", "preference_strength")
_LANGUAGES = {"english": "en", "chinese": "zh", "spanish": "es", "french": "fr", "german": "de"}


def _preferred(line: int, row: Row) -> ImportDraft:
    """HelpSteer's preferences: from −3 (the first is much better) to 3."""
    name = next((name for name in _HELPSTEER if name in row), _HELPSTEER[0])
    strength = reading.number_of(row.get(name))
    if strength is None or abs(strength) > _STRONGEST:
        sentence = _("`%(name)s` must be a number from −3 to 3. Fix or remove this line.")
        raise Unusable(sentence % {"name": name})
    if isinstance(row.get("context"), list):
        messages = ends_with_user(conversation(row["context"], "context"), "context")
    else:
        messages = one_prompt(row.get("prompt"), "prompt")
    sign = "_" if "response_1" in row else ""
    texts = [response_text(row.get(f"response{sign}{n}"), f"response{sign}{n}") for n in (1, 2)]
    if texts[0].strip() == texts[1].strip():
        raise Unusable(_("Both responses are the same. Fix or remove this line."))
    ranks = (1, 2) if strength < 0 else (2, 1) if strength > 0 else (1, 1)
    replies = tuple(Reply(text, rank) for text, rank in zip(texts, ranks, strict=True))
    return judged(ImportDraft(line, messages, replies), _strength(strength))


def _strength(preference: float) -> int | None:
    """HelpSteer's slightly, clearly and much better are 2, 3 and 4 here, where 1 is negligible."""
    return 1 + math.ceil(abs(preference)) if preference else None


def _helpsteer(line: int, row: Row) -> Found:
    """Its language is a name, and for code that of a programming language."""
    language = str(row.get("language") or "").strip().lower()
    return drafted(line, {**row, "language": _LANGUAGES.get(language, "")}, _preferred)


read_turns = reading.each_several(_turns, ("turns",))
_SHOWN = ("conversation_a", "conversation_b", "prompt", "response_a", "response_b")
read = reading.each(
    _battle,
    ("model_a", "model_b", "winner", "judge", "turn", *_SHOWN, *_WINNER_COLUMNS),
    either=_SHOWN,
)
_COMPARED = ("context", "prompt", "response1", "response2", "response_1", "response_2")
read_helpsteer = reading.each_several(
    _helpsteer,
    (*_COMPARED, *_HELPSTEER),
    either=_COMPARED,
)
