"""Conditions on an item, written once in SQL and used by the claim's statements and by the ORM.

One of them applies to every claim: the rater has not met the item before.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, F, Func

from labeling.models import Judgment, Pass, Slot

MEETINGS = (Slot, Pass, Judgment)
"""A rater has met an item if they hold or filled one of its slots, skipped it, or judged it."""

# These keep PostgreSQL from planning a claim badly. They look useless but are not:
# docs/adr/0003-the-queue-is-sql.md
IN_A_CLAIM = {
    # test one item at a time; never join with everything the rater has done
    "{one_at_a_time}": "LIMIT 1 OFFSET 0",
    # look up by item, not by rater: an item has few rows, a rater has many
    "{by_item}": "+ 0",
}
_NAMED = re.compile(r"%\((\w+)\)s")


def without_comments(sql: str) -> str:
    """`sql` on one line, without `--` comments.

    psycopg caches a parsed statement only up to 4,096 characters, and the claim runs for every
    item.
    """
    lines = (line.partition("--")[0].strip() for line in sql.splitlines())
    return " ".join(line for line in lines if line)


@dataclass(frozen=True)
class ItemTest:
    """True or false for an item. `sql` contains {item} for the item's id, %(name)s for its values,
    and the marks of IN_A_CLAIM.
    """

    sql: str
    values: Mapping[str, Any]

    def on(self, column: str) -> str:
        """SQL for the claim's statement, where `column` is the item's id. Pass `values` along with
        it.
        """
        return _filled(self.sql, {"{item}": column} | IN_A_CLAIM)

    def of(self, path: str) -> "_OnItem":
        """An ORM filter, where `path` leads to the item: "pk", "item"… Such a query may read many
        items, so PostgreSQL is free to join.
        """
        params = tuple(self.values[name] for name in _NAMED.findall(self.sql))
        return _OnItem(F(path), sql=_NAMED.sub("%s", self.sql), params=params)


class _OnItem(Func):
    """An ItemTest as an ORM expression."""

    output_field = BooleanField()

    def __init__(self, item: F, *, sql: str, params: tuple[object, ...]) -> None:
        super().__init__(item)
        self.sql, self.params = sql, params

    def as_sql(self, compiler: Any, connection: Any, *_args: object, **_context: object) -> Any:
        column, _none = compiler.compile(self.source_expressions[0])
        return _filled(self.sql, {"{item}": column} | dict.fromkeys(IN_A_CLAIM, "")), self.params


def _filled(sql: str, marks: Mapping[str, str]) -> str:
    for mark, text in marks.items():
        sql = sql.replace(mark, text)
    return sql


ALWAYS = ItemTest("TRUE", {})


def all_of(tests: Iterable[ItemTest]) -> ItemTest:
    """True if all `tests` are."""
    conditions = [test for test in tests if test is not ALWAYS]
    values = {name: value for test in conditions for name, value in test.values.items()}
    return ItemTest(" AND ".join(test.sql for test in conditions), values) if conditions else ALWAYS


_NOT_MET = " AND ".join(
    without_comments(
        f"""
        NOT EXISTS (
            -- by the index on the item; IN_A_CLAIM says what the two marks do
            SELECT 1 FROM {model._meta.db_table} met
            WHERE met.item_id = {{item}}
            AND met.rater_id {{by_item}} = %(rater)s
            {{one_at_a_time}}
        )
        """  # noqa: S608  # our own table names
    )
    for model in MEETINGS
)


def not_met(rater_id: int) -> ItemTest:
    """The rater has no slot, skip or judgment on the item."""
    return ItemTest(_NOT_MET, {"rater": rater_id})


def met(*, item_ids: Collection[int], rater_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of these raters have met which of these items, as pairs (item, rater)."""
    pairs: set[tuple[int, int]] = set()
    for model in MEETINGS:
        rows = model._base_manager.filter(item__in=item_ids, rater__in=rater_ids)
        pairs.update(rows.values_list("item_id", "rater_id"))
    return pairs
