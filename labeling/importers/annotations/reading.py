"""Reads a table of answers: one answer a line, or one column a rater. Every row becomes a draft for
each rater who answered, with the answer's time and the id that the file gives it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from arithmetic.chats import Message, parts_of
from labeling.importers import drafts, thinking
from labeling.importers.annotations import (
    cells,
    joining,
    legends,
    plans,
    questions,
    roles,
    times,
    typed,
)
from labeling.importers.annotations.cells import Cells
from labeling.importers.annotations.joining import Line
from labeling.importers.annotations.plans import Plan
from labeling.importers.drafts import (
    Answer,
    Found,
    ImportDraft,
    ImportProblem,
    Reply,
    Unusable,
    one_prompt,
    shown,
    text_of,
)
from labeling.importers.files.lines import Value, Values
from labeling.importers.messages import ends_with_user
from labeling.importers.shapes import chats, verdicts
from labeling.importers.shapes import reading as shapes_reading

LONGEST_RATER = 200
_RANKS = {legends.FIRST: (1, 2), legends.SECOND: (2, 1), legends.TIE: (1, 1)}
Texts = Mapping[str, Cells]
"""Item's id → the row that has its texts, from a second file."""


def rows_of(values: Values, texts: Texts | None, item: str) -> Iterator[Cells]:
    """The lines of a table without its problems, for a look at them."""
    for value in values:
        if isinstance(value, Value) and isinstance(value.value, dict):
            for row in cells.rows(value.value):
                yield _with_texts(row, texts, item)


def read(values: Values, plan: Plan, texts: Texts | None = None) -> Found:
    """Drafts of answers in the order of the file, and problems. Answers that stand on several lines
    come at the end of the file.
    """
    if sentence := plans.missing(plan.roles):
        yield ImportProblem(0, sentence, is_fatal=True)
        return
    lines = _each(values, plan, texts)
    if plan.heading(roles.RANK) or plan.heading(roles.QUESTION):
        entries = joining.joined(lines, is_ranking=bool(plan.heading(roles.RANK)))
    else:
        entries = (line.draft if isinstance(line, Line) else line for line in lines)
    yield from thinking.apart(entries)


def _each(values: Values, plan: Plan, texts: Texts | None) -> Iterator[Line | ImportProblem]:
    unread: set[str] = set()
    item = plan.heading(roles.ITEM)
    for value in values:
        if isinstance(value, ImportProblem):
            yield value
            continue
        if not isinstance(value.value, dict):
            yield ImportProblem(
                value.line, _("This is not a JSON object. Write one object per line.")
            )
            continue
        for row in cells.rows(value.value):
            yield from _unread(value, row, plan, unread)
            try:
                whole = _with_texts(row, texts, item)
                if texts is not None and whole is row:
                    raise Unusable(
                        _("No pair has the ID “%(id)s”. Add the pair or remove the vote.")
                        % {"id": shown(cells.of(row, item))}
                    )
                yield from _lines(value.line, whole, plan)
            except Unusable as error:
                yield ImportProblem(value.line, error.sentence)


def _with_texts(row: Cells, texts: Texts | None, item: str) -> Cells:
    """The row, with the columns of the file of texts that it does not have itself."""
    own_texts = (texts or {}).get(cells.of(row, item))
    return row if own_texts is None else {**own_texts, **row}


def _unread(value: Value, row: Cells, plan: Plan, unread: set[str]) -> Iterator[ImportProblem]:
    """Columns that are not imported, each once."""
    new = {
        name
        for name, cell in row.items()
        if name not in plan.roles and cell not in ("", []) and not verdicts.is_review(name)
    }
    new -= unread
    if new and len(unread) < shapes_reading.MAX_UNKNOWN:
        unread |= new
        yield ImportProblem(value.heading or value.line, shapes_reading.not_imported(new))
    texts = {
        name
        for name, role in plan.roles.items()
        if role
        in (roles.ANSWER, roles.SCALE, roles.CHOICE, roles.FLAG, roles.VALUE, roles.BY_RATER)
        and name in row
        and name not in plan.winners
        and (key := plans.key_of(name, role, row, plan))
        and key not in plan.questions
        and f"text {key}" not in unread
        and cells.of(row, name)
    }
    for name in sorted(texts):
        unread.add(f"text {plans.key_of(name, plan.roles[name], row, plan)}")
        sentence = _(
            "The answers in “%(name)s” are too varied to be a scale, a flag or categories, so they"
            " are not imported."
        )
        yield ImportProblem(value.heading or value.line, sentence % {"name": shown(name)})


# --- one line -------------------------------------------------------------------------------------


def _lines(line: int, row: Cells, plan: Plan) -> Iterator[Line | ImportProblem]:
    messages, replies = _shown(row, plan)
    category, language, labels = drafts.labels(
        line,
        {
            "category": cells.of(row, plan.heading(roles.CATEGORY)),
            "language": cells.of(row, plan.heading(roles.LANGUAGE)),
        },
    )
    if sentence := verdicts.rejection({name: row[name] for name in row if name not in plan.roles}):
        raise Unusable(sentence)
    licence = drafts.licence_of({"licence": cells.of(row, plan.heading(roles.LICENCE))})
    yield from labels
    at, why = times.moment(cells.of(row, plan.heading(roles.AT)))
    if why:
        yield ImportProblem(line, why, is_once=True)
    if names := typed.doubtful(row, plan):
        yield ImportProblem(line, typed.no_demonstrations(names), is_once=True)
    is_wide = bool(plan.headings(roles.BY_RATER))
    for rater, headings in _raters(row, plan).items():
        try:
            answer = Answer(
                item=cells.of(row, plan.heading(roles.ITEM)) or (f"line {line}" if is_wide else ""),
                id=cells.of(row, plan.heading(roles.ANSWER_ID))[:100],
                at=at,
                active_s=_seconds(row, plan),
                reason=_reason(row, plan),
                strength=_strength(row, plan),
            )
            draft = ImportDraft(
                line,
                messages,
                replies,
                worker=rater,
                answer=answer,
                category=category,
                language=language,
                licence=licence,
            )
            filled = _answered(draft, row, headings, plan)
        except Unusable as error:
            yield ImportProblem(line, error.sentence)
        else:
            if filled is not None:
                yield Line(filled, rater)


def _raters(row: Cells, plan: Plan) -> dict[str, list[str]]:
    """Rater → the columns with their answers. Raises Unusable for a line without a rater."""
    if plan.by_raters:
        headings: dict[str, list[str]] = defaultdict(list)
        for heading, (_asked, rater) in plan.by_raters.items():
            headings[rater].append(heading)
        return headings
    heading = plan.heading(roles.RATER)
    rater = cells.of(row, heading)
    if not rater or len(rater) > LONGEST_RATER or shown(rater) != rater[:40]:
        raise Unusable(
            _(
                "`%(name)s` is empty or longer than %(n)d characters. Name the rater or remove this"
                " line."
            )
            % {"name": heading, "n": LONGEST_RATER}
        )
    return {rater: plan.headings(roles.ANSWER, roles.SCALE, roles.CHOICE, roles.FLAG, roles.VALUE)}


def _answered(
    draft: ImportDraft, row: Cells, headings: Sequence[str], plan: Plan
) -> ImportDraft | None:
    """The draft with the rater's answer; None if the rater gave none."""
    assert draft.answer is not None
    answer, replies, is_compared = draft.answer, draft.replies, False
    ratings: list[dict[str, object]] = [{} for _reply in replies]
    for heading in plan.headings(roles.WINNER) or (headings if plan.is_pair else ()):
        meaning = _meaning(row, heading, plan)
        if meaning == legends.SKIP:
            return None
        is_compared = meaning != legends.ALL_BAD
        ranks = _RANKS.get(meaning, (None, None))
        replies = tuple(
            replace(reply, rank=rank) for reply, rank in zip(replies, ranks, strict=True)
        )
        answer = replace(answer, is_all_bad=not is_compared)
    if heading := plan.heading(roles.RANK):
        replies = (replace(replies[0], rank=_rank(row, heading)),)
    asking = [] if plan.is_pair and not plan.headings(roles.WINNER) else headings
    for heading in asking:
        for side in ratings:
            side |= _rating(row, heading, plan)
    for place, role in enumerate((roles.LEFT_ANSWER, roles.RIGHT_ANSWER)):
        for heading in plan.headings(role):
            ratings[place] |= _rating(row, heading, plan)
    answer = replace(answer, ratings=tuple(ratings) if any(ratings) else ())
    if not is_compared and not answer.is_all_bad and not any(ratings) and replies[0].rank is None:
        replies = ()
    if text := typed.reply(row, plan):
        replies = (*replies, text)
    if not replies:
        return None
    return replace(draft, replies=replies, answer=answer, is_compared=is_compared)


def _meaning(row: Cells, heading: str, plan: Plan) -> str:
    """What the winner's cell says: by the names of the two models, else by the legend."""
    value = legends.folded(cells.of(row, heading))
    left, right = map(legends.folded, _models(row, plan))
    if value and left != right and value in (left, right):
        return legends.FIRST if value == left else legends.SECOND
    meaning = plan.legend.get(value, "")
    if meaning not in legends.MEANINGS:
        raise Unusable(
            _(
                "`%(name)s` is “%(value)s”. Say what it means: the first response is better, the"
                " second, a tie, or no vote."
            )
            % {"name": heading, "value": shown(value)}
        )
    return meaning


def _rating(row: Cells, heading: str, plan: Plan) -> dict[str, object]:
    role = plan.roles[heading]
    question = plan.questions.get(plans.key_of(heading, role, row, plan))
    if question is None:
        return {}
    value = cells.of(row, heading)
    try:
        answer = questions.stored(question, value)
    except ValueError:
        raise Unusable(
            _(
                "`%(name)s` is “%(value)s”, which is no answer to this question. Fix or remove"
                " this line."
            )
            % {"name": heading, "value": shown(value)}
        ) from None
    return {} if answer is None else {question.name: answer}


def _rank(row: Cells, heading: str) -> int | None:
    value = cells.of(row, heading)
    rank = shapes_reading.number_of(value)
    if value and (rank is None or not 0 <= rank < 10_000 or rank != int(rank)):
        raise Unusable(
            _(
                "`%(name)s` is “%(value)s”, but must be a whole number, with the best response"
                " first."
            )
            % {"name": heading, "value": shown(value)}
        )
    return None if rank is None else int(rank) + 1  # a file may count from 0


def _seconds(row: Cells, plan: Plan) -> float | None:
    seconds = shapes_reading.number_of(cells.of(row, plan.heading(roles.ACTIVE_S)))
    return float(seconds) if seconds is not None and 0 <= seconds < 10**7 else None


def _strength(row: Cells, plan: Plan) -> int | None:
    if not (heading := plan.heading(roles.STRENGTH)):
        return legends.strength_of(cells.of(row, plan.heading(roles.WINNER)))
    strength = shapes_reading.number_of(cells.of(row, heading))
    return int(strength) if strength in (1, 2, 3, 4) else None


def _reason(row: Cells, plan: Plan) -> str | None:
    heading = plan.heading(roles.REASON)
    reason = cells.of(row, heading)
    return text_of(reason, heading) if reason else None


# --- what was shown -------------------------------------------------------------------------------


def _shown(row: Cells, plan: Plan) -> tuple[tuple[Message, ...], tuple[Reply, ...]]:
    """The prompt, and the one or two responses that were judged. Where the file has no prompt or no
    response, the text that it has stands for both, or else the item's id.
    """
    item = cells.of(row, plan.heading(roles.ITEM))
    heading = plan.heading(roles.PROMPT)
    value = row.get(heading, "") if heading else ""
    if len(headings := plan.headings(roles.PROMPT)) > 1 and isinstance(value, str):
        # An instruction and its input are one prompt.
        value = "\n\n".join(filter(None, (cells.of(row, name) for name in headings)))
    replies: tuple[Reply, ...]
    if plan.is_pair:
        replies = _two(row, plan)
    else:
        response = _text(row, plan, roles.RESPONSE)
        model = cells.of(row, plan.heading(roles.MODEL))[: shapes_reading.MAX_AUTHOR]
        instead = "" if isinstance(value, list) else value.strip()
        if response is None:
            response = instead or (f"{item} {model}".strip() if model else item)
        replies = (Reply(response, author=model),)
    if isinstance(value, list):
        messages = ends_with_user(chats.chat(value, heading), heading)
    else:
        is_shared = plan.is_pair or bool(plan.heading(roles.RANK))
        instead = item if is_shared else replies[0].text
        text = value if value.strip() else instead if instead.strip() else item
        messages = one_prompt(text, heading or plan.heading(roles.RESPONSE) or "prompt")
    return messages, replies


def _two(row: Cells, plan: Plan) -> tuple[Reply, Reply]:
    sides = ((roles.LEFT, roles.LEFT_MODEL), (roles.RIGHT, roles.RIGHT_MODEL))
    names = list(_models(row, plan))
    texts = [_text(row, plan, role) for role, _model in sides]
    replies = []
    for place, (text, name) in enumerate(zip(texts, names, strict=True)):
        words = name or (_("first response"), _("second response"))[place]
        replies.append(
            Reply(words if text is None else text, author=name[: shapes_reading.MAX_AUTHOR])
        )
    if replies[0] == replies[1] and names[0] and names[0] == names[1]:
        raise Unusable(_("Both responses are from the same model. Fill in model_x and model_y."))
    return replies[0], replies[1]


def _models(row: Cells, plan: Plan) -> tuple[str, str]:
    """The names of the two models, from a column each or from one with both. Raises Unusable."""
    if heading := plan.heading(roles.MODELS):
        value = cells.of(row, heading)
        names = roles.two_models(value)
        if value and names is None:
            sentence = _(
                "`%(name)s` is “%(value)s”, which is no pair of two names with one sign between"
                " them. Give each model a column of its own."
            )
            raise Unusable(sentence % {"name": heading, "value": shown(value)})
        return names or ("", "")
    left, right = plan.heading(roles.LEFT_MODEL), plan.heading(roles.RIGHT_MODEL)
    return cells.of(row, left), cells.of(row, right)


def _text(row: Cells, plan: Plan, role: str) -> str | None:
    """A response, which may be empty; None if the file has no column for it."""
    heading = plan.heading(role)
    if not heading or heading not in row:
        return None
    cell = row[heading]
    if isinstance(cell, list):
        messages = chats.chat(cell, heading)
        if parts_of(messages[-1]):
            raise Unusable(
                _("`%(name)s` thinks or calls a tool. Import this line under Prompts, as a chat.")
                % {"name": heading}
            )
        cell = messages[-1]["content"]
    return text_of(cell, heading) if cell.strip() else ""
