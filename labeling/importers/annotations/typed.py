"""What raters typed in a table of answers, and which columns may call it bad or name its author."""

from django.utils.translation import gettext as _

from labeling.importers import few_values
from labeling.importers.annotations import cells, roles
from labeling.importers.annotations.cells import Cells
from labeling.importers.annotations.plans import Plan
from labeling.importers.drafts import Reply, shown, text_of
from labeling.importers.shapes import reading, verdicts

_SCORED = (
    *(roles.ANSWER, roles.SCALE, roles.CHOICE, roles.FLAG, roles.VALUE, roles.BY_RATER),
    roles.RANK,
)
_MAY_SPEAK = {*_SCORED, roles.REASON, roles.MODEL}
"""Roles of columns that may be about the text; those with other roles are about something else."""
_OF_HITS = {
    *("reward", "approvaltime", "autoapprovaltime", "autoapprovaldelayinseconds"),
    *("lifetimeapprovalrate", "last30daysapprovalrate", "last7daysapprovalrate"),
}
"""Columns of Mechanical Turk's results that have the pay, times and the worker's record."""


def reply(row: Cells, plan: Plan) -> Reply | None:
    """What the rater typed: a demonstration unless a column may say otherwise. None if nothing."""
    heading = plan.heading(roles.TEXT)
    if not (text := cells.of(row, heading)):
        return None
    author = "" if _shows_response(plan) else cells.of(row, plan.heading(roles.MODEL))
    return Reply(
        text_of(text, heading),
        is_human=not doubtful(row, plan),
        is_typed=True,
        author=author[: reading.MAX_AUTHOR],
    )


def doubtful(row: Cells, plan: Plan) -> set[str]:
    """The columns that may say whether the typed text is good or who wrote it; none without one.
    Beside a response a model is that of the response. Without one every score is about the text.
    """
    if not cells.of(row, plan.heading(roles.TEXT)):
        return set()
    explained = {name for name, role in plan.roles.items() if role not in _MAY_SPEAK}
    explained |= {name for name in row if _is_approval(name, cells.of(row, name))}
    is_of_hits = "hitid" in map(roles.compact, row)
    if is_of_hits:
        explained |= {name for name in row if roles.compact(name) in _OF_HITS}
    unread = {name: row[name] for name in row if name not in plan.roles}
    if is_of_hits:
        unread = {name: value for name, value in unread.items() if _is_of_worker(name)}
    short = few_values.short_fields(verdicts.all_fields(unread, explained))
    in_other_words = {name for name, _path in short}
    if _shows_response(plan):
        return verdicts.doubtful(row, explained | {plan.heading(roles.MODEL)}) | in_other_words
    scored = {name for name in plan.headings(*_SCORED) if cells.of(row, name)}
    return verdicts.doubtful(row, explained) | scored | in_other_words


def _is_of_worker(name: str) -> bool:
    """Mechanical Turk writes what a worker filled in as Answer.…; what they were shown and the
    record of the task can't say whether the answer is good.
    """
    return name.lower().startswith("answer.")


def no_demonstrations(names: set[str]) -> str:
    """A sentence that names the columns for which typed texts are no demonstrations."""
    sentence = _(
        "%(names)s may say whether the written text is good or who wrote it, so such texts are"
        " stored as responses, not as demonstrations. Remove the column from the file if it says"
        " neither."
    )
    listed = [shown(name) for name in sorted(names)[: reading.MAX_UNKNOWN]]
    return sentence % {"names": ", ".join(listed)}


def _shows_response(plan: Plan) -> bool:
    return plan.is_pair or bool(plan.heading(roles.RESPONSE))


def _is_approval(name: str, value: str) -> bool:
    """Whether it says that the answer was handed in, or passed its review."""
    is_good = value.lower() == "submitted" or reading.verdict_of(value) is True
    return verdicts.is_review(name) and is_good
