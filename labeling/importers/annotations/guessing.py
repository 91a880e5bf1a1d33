"""Which column of a table is what, judged by its headings and its first rows."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from labeling.importers.annotations import cells, legends, questions, roles
from labeling.importers.annotations.cells import Cells
from labeling.importers.shapes.reading import number_of

Take = Callable[[str, str], None]
"""Gives a role to a heading, unless one of the two is taken."""

_FEWEST_RATERS = 2
_WORDS_OF_NAME = 5


def guess(rows: Sequence[Cells], of_texts: Collection[str] = ()) -> dict[str, str]:
    """Heading → role. Without a rater's column, or columns of one rater each, nobody can be named,
    and the person who imports the file has to say who answered. `of_texts` are headings of a second
    file with the texts, which holds no answers.
    """
    every = list(dict.fromkeys(name for row in rows for name in row))
    headings = [name for name in every if name not in of_texts]
    guessed: dict[str, str] = {}

    def take(role: str, heading: str) -> None:
        if heading and heading not in guessed and role not in guessed.values():
            guessed[heading] = role

    by_name = {roles.compact(name): name for name in every}
    if {"user", "assistant"} <= by_name.keys():  # a conversation, whose user is no rater
        take(roles.PROMPT, by_name["user"])
        take(roles.RESPONSE, by_name["assistant"])
        every = [name for name in every if roles.compact(name) != "system"]
        headings = [name for name in every if name in headings and name not in guessed]
    take(roles.RATER, _rater(rows, headings))
    _texts(rows, every, take)
    if any(roles.compact(name) == "instruction" for name in _with_role(guessed, roles.PROMPT)):
        inputs = [name for name in every if roles.compact(name) in ("input", "context")]
        guessed |= {name: roles.PROMPT for name in inputs if name not in guessed}
    for role in (roles.AT, roles.ACTIVE_S, roles.REASON, roles.ANSWER_ID, roles.STRENGTH):
        take(role, roles.named(role, headings))
    for role in (roles.CATEGORY, roles.LANGUAGE, roles.LICENCE):
        take(role, roles.named(role, every))
    is_long = roles.RATER in guessed.values()
    if not is_long:
        guessed |= _wide(rows, [name for name in headings if name not in guessed])
    take(roles.ITEM, _item(rows, headings, guessed))
    if is_long:
        _answers(rows, headings, guessed, take)
    return guessed


def _rater(rows: Sequence[Cells], headings: Sequence[str]) -> str:
    """A column of names, which are short: one called “user” may hold what the user wrote."""
    values = {name: {cells.of(row, name) for row in rows} for name in headings}
    are_names = {
        name: all(len(value.split()) <= _WORDS_OF_NAME for value in values[name]) for name in values
    }
    return roles.named(roles.RATER, [name for name in headings if are_names[name]])


def _with_role(guessed: Mapping[str, str], wanted: str) -> list[str]:
    return [name for name, role in guessed.items() if role == wanted]


def _texts(rows: Sequence[Cells], headings: Sequence[str], take: Take) -> None:
    pair = roles.text_sides(headings)
    if pair:
        take(roles.LEFT, pair[0])
        take(roles.RIGHT, pair[1])
    if models := roles.model_sides(headings):
        take(roles.LEFT_MODEL, models[0])
        take(roles.RIGHT_MODEL, models[1])
    elif pair and _is_pair_of_models(rows, both := roles.named(roles.MODELS, headings)):
        take(roles.MODELS, both)
    words = [name for name in headings if not _is_numbers(rows, name)]
    longest = {
        name: max((len(cells.of(row, name)) for row in rows), default=0) for name in headings
    }
    texts = [name for name in headings if longest[name] > questions.LONGEST_CATEGORY]
    response = roles.named(roles.RESPONSE, texts) or _one_text(words)
    prompt = roles.named(roles.PROMPT, words)
    take(roles.PROMPT, prompt or (response if pair or models else ""))
    take(roles.TEXT, roles.named(roles.TEXT, texts))
    if not pair:
        take(roles.RESPONSE, response)
        take(roles.MODEL, roles.named(roles.MODEL, headings))


def _is_pair_of_models(rows: Sequence[Cells], heading: str) -> bool:
    """Whether a column has the names of two models in each of its cells."""
    values = {cells.of(row, heading) for row in rows} - {""}
    return bool(values) and all(roles.two_models(value) is not None for value in values)


def _is_numbers(rows: Sequence[Cells], heading: str) -> bool:
    """Whether a column only has numbers, such as those of prompts."""
    values = {cells.of(row, heading) for row in rows} - {""}
    return bool(values) and all(number_of(value) is not None for value in values)


def _one_text(headings: Iterable[str]) -> str:
    """A short response: only under a name that is no name of an answer."""
    plain = [
        name for name in headings if roles.compact(name) not in ("answer", "comment", "review")
    ]
    return roles.named(roles.RESPONSE, plain)


def _wide(rows: Sequence[Cells], headings: Sequence[str]) -> dict[str, str]:
    """Columns of one rater each: human_score_1, human_score_2 and so on."""
    stems: dict[str, list[str]] = defaultdict(list)
    for heading in headings:
        parts = roles.numbered(heading)
        if parts is not None and _is_label(rows, heading) and not _is_side(*parts):
            stems[roles.compact(parts[0])].append(heading)
    of_sides = _sides_of_texts(rows, headings)
    return {
        heading: roles.BY_RATER
        for named in stems.values()
        if len(named) >= _FEWEST_RATERS and _labels(named) not in of_sides
        for heading in named
    }


def _is_side(stem: str, number: str) -> bool:
    """Whether a column such as score_A is about one of two responses: raters have numbers, or are
    called so.
    """
    return number.isalpha() and roles.compact(stem) not in roles.NAMES[roles.RATER]


def _sides_of_texts(rows: Sequence[Cells], headings: Sequence[str]) -> list[tuple[str, ...]]:
    """The ends of the headings of two long texts, such as human_ref_A and human_ref_B: score_A and
    score_B are about these, and not the answers of two raters.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    for heading in headings:
        parts = roles.numbered(heading)
        if parts is not None and not _is_label(rows, heading):
            texts[roles.compact(parts[0])].append(heading)
    return [_labels(named) for named in texts.values() if len(named) == _FEWEST_RATERS]


def _labels(headings: Iterable[str]) -> tuple[str, ...]:
    """The numbers or letters at the end of headings."""
    parts = (roles.numbered(heading) for heading in headings)
    return tuple(sorted(part[1].lower() for part in parts if part is not None))


def _is_label(rows: Sequence[Cells], heading: str) -> bool:
    values = {cells.of(row, heading) for row in rows} - {""}
    return bool(values) and all(len(value) <= questions.LONGEST_CATEGORY for value in values)


def _item(rows: Sequence[Cells], headings: Sequence[str], guessed: Mapping[str, str]) -> str:
    """The column with the item's id. A column called id that differs where the texts are the same
    has the id of the answer.
    """
    free = [name for name in headings if name not in guessed]
    heading = roles.named(roles.ITEM, free)
    is_vague = roles.compact(heading) in ("id", "idx", "index", "uid", "key")
    if heading and is_vague and roles.RATER in guessed.values():
        texts = [name for name, role in guessed.items() if role in _SHOWN]
        seen = {tuple(map(str, (row.get(name) for name in texts))) for row in rows}
        ids = {cells.of(row, heading) for row in rows}
        if texts and len(ids) == len(rows) > len(seen):
            return ""
    return heading


_SHOWN = (roles.PROMPT, roles.RESPONSE, roles.LEFT, roles.RIGHT)


def _answers(
    rows: Sequence[Cells], headings: Sequence[str], guessed: dict[str, str], take: Take
) -> None:
    """The columns with answers of a table with one answer a line."""
    free = [name for name in headings if name not in guessed]
    is_pair = {roles.LEFT, roles.LEFT_MODEL} & set(guessed.values())
    if is_pair or not set(_SHOWN) & set(guessed.values()):
        take(roles.WINNER, _winner(rows, free, guessed, is_sure=bool(is_pair)))
    if is_pair:
        for left, right in roles.answers_by_side(free):
            if _is_label(rows, left) and _is_label(rows, right):
                guessed |= {left: roles.LEFT_ANSWER, right: roles.RIGHT_ANSWER}
    else:
        take(roles.RANK, roles.named(roles.RANK, free))
        take(roles.QUESTION, roles.named(roles.QUESTION, free))
        if roles.QUESTION in guessed.values():
            take(roles.VALUE, roles.named(roles.VALUE, free))
            return
    for heading in free:
        if heading not in guessed and _is_answer(rows, heading, guessed):
            guessed[heading] = (roles.of_one_side(heading) if is_pair else "") or roles.ANSWER


def _winner(
    rows: Sequence[Cells], free: Sequence[str], guessed: Mapping[str, str], *, is_sure: bool
) -> str:
    """The column that names the better response. Where the table shows no two responses, it must
    speak of sides.
    """
    models = [
        name for name, role in guessed.items() if role in (roles.LEFT_MODEL, roles.RIGHT_MODEL)
    ]
    for heading in sorted(free, key=_place_of_winner):
        if _place_of_winner(heading) == len(roles.NAMES[roles.WINNER]):
            break
        values = {cells.of(row, heading) for row in rows} - {""}
        named = {cells.of(row, model) for row in rows for model in models}
        meant = set(legends.guess(values - named).values())
        is_named = roles.compact(heading) in ("winner", "preference", "preferred", "better")
        fewest = 1 if is_named else 2
        is_known = len(meant & {legends.FIRST, legends.SECOND}) >= fewest
        if values and (is_known or values <= named or (is_sure and len(values) <= 9)):
            return heading
    return ""


def _place_of_winner(heading: str) -> int:
    names = list(roles.NAMES[roles.WINNER])
    name = roles.compact(heading)
    if roles.asks_for_better(heading):
        return len(names) - 1
    return names.index(name) if name in names else len(names)


def _is_answer(rows: Sequence[Cells], heading: str, guessed: Mapping[str, str]) -> bool:
    """Whether a column answers a question: by its name, or because raters of one item differ in it
    and one rater differs between items. What never differs describes the item or the rater.
    """
    if not _is_label(rows, heading):
        return False
    if roles.compact(heading) in roles.KNOWN_ANSWERS:
        return True
    asked = questions.Asked(heading, heading, roles.ANSWER)
    for row in rows:
        asked.add(cells.of(row, heading))
    if asked.question() is None or len(asked.values) == 1 or roles.names_something(heading):
        return False
    of_rater = [name for name, role in guessed.items() if role == roles.RATER]
    of_item = [name for name, role in guessed.items() if role == roles.ITEM] or [
        name for name, role in guessed.items() if role in _SHOWN
    ]
    return _differs(rows, of_item, heading) and _differs(rows, of_rater, heading)


def _differs(rows: Sequence[Cells], by: Sequence[str], heading: str) -> bool:
    seen: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        seen[tuple(str(row.get(name)) for name in by)].add(cells.of(row, heading))
    return any(len(values) > 1 for values in seen.values())
