"""Line diff of two versions of a guideline. Pure: no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from labeling.guidelines.rating_form import Question, RatingForm, Scale


@dataclass(frozen=True)
class DiffLine:
    """One line of a diff. `kind` is same, added, removed or gap; a gap stands for `n_hidden`
    unchanged lines.
    """

    kind: str
    text: str = ""
    n_hidden: int = 0


def changes(before: Sequence[str], after: Sequence[str], *, context: int = 3) -> list[DiffLine]:
    """All lines that differ, each with up to `context` unchanged neighbours; empty if nothing
    differs.
    """
    if list(before) == list(after):
        return []
    lines: list[DiffLine] = []
    opcodes = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    for place, (tag, start, end, new_start, new_end) in enumerate(opcodes):
        if tag == "equal":
            lines += _unchanged(
                before[start:end], context, is_first=place == 0, is_last=place == len(opcodes) - 1
            )
            continue
        lines += [DiffLine("removed", text) for text in before[start:end]]
        lines += [DiffLine("added", text) for text in after[new_start:new_end]]
    return lines


def form_lines(form: RatingForm) -> list[str]:
    """One line per question, so that two rating forms can be compared like texts."""
    labels = {question.name: question.label for question in form.questions}
    return [
        _question_line(question) + _condition_line(question, labels) for question in form.questions
    ]


def _condition_line(question: Question, labels: Mapping[str, str]) -> str:
    if question.asked_if is None:
        return ""
    low, high = question.asked_if.at_least, question.asked_if.at_most
    at_least = "" if low is None else f"{low} ≤ "
    at_most = "" if high is None else f" ≤ {high}"
    return f" [{at_least}{labels[question.asked_if.question]}{at_most}]"


def _unchanged(
    texts: Sequence[str], context: int, *, is_first: bool, is_last: bool
) -> list[DiffLine]:
    head = 0 if is_first else context
    tail = 0 if is_last else context
    if len(texts) <= head + tail + 1:
        return [DiffLine("same", text) for text in texts]
    shown_before, shown_after = texts[:head], texts[len(texts) - tail :]
    gap = DiffLine("gap", n_hidden=len(texts) - head - tail)
    return [
        *(DiffLine("same", text) for text in shown_before),
        gap,
        *(DiffLine("same", text) for text in shown_after),
    ]


def _question_line(question: Question) -> str:
    help_text = f" ({question.help})" if question.help else ""
    help_text += " §" if question.is_principle else ""
    if not isinstance(question, Scale):
        return f"☐ {'+ ' if question.is_merit else ''}{question.label}{help_text}"
    ends = (
        f"{question.low} {question.low_label}".strip(),
        f"{question.high} {question.high_label}".strip(),
    )
    required = " *" if question.is_required else ""
    return f"{question.label}{required}: {ends[0]} – {ends[1]}{help_text}"
