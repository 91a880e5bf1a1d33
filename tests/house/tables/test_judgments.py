"""People's judgments and those of judges are kept apart: whoever reads judgments says whose.

`Judgment` and `Rater` have no `objects`: the name of each of their managers says it. This looks
for code that reads judgments past these managers: through other tables, through the model itself,
in SQL.
"""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model

from labeling.models import Judgment

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("accounts", "config", "jobs", "labeling", "pages", "training")
TABLES_THEMSELVES = ("labeling/models/", "training/models/")

MANAGERS = {"of_people", "of_everyone", "versions_of_people", "versions_of_everyone"}
OF_PEOPLE_ONLY = {
    "GoldAnswer": "given at the desk: labeling.queue.gold.scores",
    "JudgmentEvent": "labeling.review.judgment_events.record takes people's",
    "JudgmentReview": "of what labeling.access.reviewable_judgment finds",
    "ReviewRequest": "of a rater who was paused at the desk: labeling.queue.gold.scores",
    "SetAside": "of what labeling.access.reviewable_judgment finds",
}
"""Tables about judgments that only have rows about people's, and what sees to that."""
OF_JUDGES_ONLY = {"Verdict": "what a judge was asked: training.judges.asking"}
"""Tables that have nothing of people, and what sees to that."""
PASSED_ON = {
    "labeling/access.py: visible": "asks which table a query set is of",
    "labeling/data/imports/clearing.py: ": "deletes an import's rows, whoever they are of",
    "labeling/data/imports/clearing.py: delete_rows": "the same",
    "labeling/data/imports/clearing.py: _written": "the same",
    "labeling/data/imports/clearing.py: is_built_on": "the same",
    "labeling/data/imports/rows.py: ": "the tables whose statistics an import renews",
    "labeling/queue/claiming/item_tests.py: ": "the items that one rater has met",
}
"""Code that passes a table of judgments on, and why that mixes nothing up."""
SQL = re.compile(r"\blabeling_(judgment|comparison|rankedresponse|demonstration)\b( \w+)?")
NO_LOOKUPS = {"path", "register"}
"""Calls whose words are addresses."""
CHOSEN_BY_KEY = re.compile(r"^(\w+__)?(judgment|comparison)(_id)?(__in)?$")
WRITES = {"create", "bulk_create", "get_or_create", "update_or_create"}


def parts_of_judgments() -> set[type[Model]]:
    """The tables whose rows belong to a judgment, or to a row that does."""
    parts: set[type[Model]] = {Judgment}
    while more := {
        model
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.remote_field and field.remote_field.model in parts and model not in parts
    }:
        parts |= more
    of_one_kind = OF_PEOPLE_ONLY.keys() | OF_JUDGES_ONLY.keys()
    return {part for part in parts - {Judgment} if part.__name__ not in of_one_kind}


def ways_in() -> set[str]:
    """How a lookup gets from a table of something else into judgments: `ranked` of a response."""
    parts = parts_of_judgments() | {Judgment}
    names = {
        field.related_query_name()
        for part in parts
        for field in part._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model not in parts
    }
    # A judge has no slot, and a judgment has a demonstration too. Raters' memberships are of pools.
    return names - {"judgment", "demonstration", "memberships"}


def functions(tree: ast.Module) -> Iterator[tuple[str, list[ast.AST]]]:
    """Every function outside others by its name, and what is outside of all under ""."""
    outside: list[ast.AST] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, list(ast.walk(node))
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                nodes = list(ast.walk(inner))
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", nodes
                else:
                    outside += nodes
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            outside += ast.walk(node)
    yield "", outside


def problems(
    source: str, parts: set[str], ways: set[str], passed_on: Collection[str] = ()
) -> dict[str, list[str]]:
    """By function, what reads judgments without saying whose."""
    lookup = re.compile(rf"^(?!comparison__)(\w+__)??({'|'.join(sorted(ways))})(__|$)")
    found = {}
    for name, nodes in functions(ast.parse(source)):
        wrong = [] if name in passed_on else sorted(set(_passed_on(nodes, parts)))
        wrong += sorted({table for node in nodes for table in _of_no_rater(node)})
        if not _says_whose(nodes):
            wrong += sorted({*_past_managers(nodes, parts), *_looked_up(nodes, lookup)})
        if wrong:
            found[name] = wrong
    return found


def _says_whose(nodes: list[ast.AST]) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in MANAGERS)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("counts", "counting.counts"))
        or (isinstance(node, ast.arg) and node.annotation and _names_judgment(node.annotation))
        for node in nodes
    )


def _names_judgment(annotation: ast.AST) -> bool:
    """Judgments that the caller has chosen."""
    return any(
        isinstance(node, ast.Name) and node.id == "Judgment" for node in ast.walk(annotation)
    )


def _past_managers(nodes: list[ast.AST], parts: set[str]) -> Iterator[str]:
    """Reads `Comparison.objects`, but for rows that are written, and those of given judgments."""
    allowed = {
        id(inner)
        for call in nodes
        if isinstance(call, ast.Call)
        and (
            (isinstance(call.func, ast.Attribute) and call.func.attr in WRITES)
            or any(word.arg and CHOSEN_BY_KEY.match(word.arg) for word in call.keywords)
        )
        for inner in ast.walk(call.func)
    }
    for node in nodes:
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in parts
            and node.attr in ("objects", "_default_manager", "_base_manager")
            and id(node) not in allowed
        ):
            yield ast.unparse(node)


def _looked_up(nodes: list[ast.AST], lookup: re.Pattern[str]) -> Iterator[str]:
    """Lookups as keywords, and as arguments of calls: Count("judgments")."""
    for node in nodes:
        if isinstance(node, ast.Call) and _name(node.func) not in NO_LOOKUPS:
            given = [word.value for word in node.args if isinstance(word, ast.Constant)]
            words = [word for word in given if isinstance(word, str)]
            words += [word.arg for word in node.keywords if word.arg and "__" in word.arg]
            yield from (word for word in words if lookup.match(word))


def _passed_on(nodes: list[ast.AST], parts: set[str]) -> Iterator[str]:
    """`Judgment` itself, as in get_object_or_404(Judgment, …): not Judgment.of_people, not
    Judgment(…), and not as a type.
    """
    fine = set()
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
            inner = [node.slice] if isinstance(node, ast.Subscript) else [node.value]
        elif isinstance(node, ast.Call):
            inner = [node.func]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            inner = [node.annotation] if node.annotation else []
        elif isinstance(node, ast.FunctionDef):
            inner = [node.returns] if node.returns else []
        else:
            continue
        fine |= {id(name) for part in inner for name in ast.walk(part)}
    for node in nodes:
        if isinstance(node, ast.Name) and id(node) not in fine:
            yield from {node.id} & {*parts, "Judgment", "Rater"}


def _name(function: ast.AST) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _of_no_rater(node: ast.AST) -> Iterator[str]:
    """The tables that SQL reads without naming one rater, whose judgments it is about."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for table in SQL.finditer(node.value):
            if f"{(table[2] or table[0]).strip()}.rater_id = %(rater)s" not in node.value:
                yield table[0].strip()


def modules() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if "/migrations/" not in path and not path.startswith(TABLES_THEMSELVES):
                yield path, file.read_text()


def exceptions_of(path: str) -> set[str]:
    return {key.removeprefix(f"{path}: ") for key in PASSED_ON if key.startswith(f"{path}: ")}


def test_who_reads_judgments_says_whose() -> None:
    parts, ways = {part.__name__ for part in parts_of_judgments()}, ways_in()

    found = [
        f"{path}: {name or 'outside functions'}: {', '.join(wrong)}"
        for path, source in modules()
        for name, wrong in problems(source, parts, ways, exceptions_of(path)).items()
    ]

    assert not found, (
        "These read judgments and do not say whose. Name Judgment.of_people or .of_everyone, or"
        " filter by its condition(path):\n" + "\n".join(found)
    )


def test_each_exception_is_needed() -> None:
    """None outlives what it was made for."""
    parts, ways = {part.__name__ for part in parts_of_judgments()}, ways_in()

    needed = {
        f"{path}: {name}"
        for path, source in modules()
        if any(key.startswith(f"{path}: ") for key in PASSED_ON)
        for name in problems(source, parts, ways)
    }

    assert needed == set(PASSED_ON)


READS = {
    "the parts of judgments": "def f():\n    return RankedResponse.objects.filter(rank=1)",
    "every row of a part": "def f():\n    return Comparison._base_manager.count()",
    "a lookup": "def f():\n    return Item.objects.filter(judgments__is_gold=True)",
    "a lookup further away": "def f():\n    return Prompt.objects.filter(items__judgments__pk=1)",
    "a count": "def f():\n    return Response.objects.annotate(n=Count('ranked'))",
    "the model itself": "def f(pk):\n    return get_object_or_404(Judgment, pk=pk)",
    "raters, too": "def f(pk):\n    return get_object_or_404(Rater, pk=pk)",
    "outside functions": "queryset = RankedResponse.objects.all()",
    "a method": "class A:\n    def f(self):\n        return Demonstration.objects.first()",
    "SQL": "SQL = 'SELECT count(*) FROM labeling_judgment WHERE campaign_id = %(campaign)s'",
}


@pytest.mark.parametrize("source", READS.values(), ids=READS.keys())
def test_what_does_not_say_whose_is_noticed(source: str) -> None:
    assert problems(source, {"Comparison", "Demonstration", "RankedResponse"}, ways_in())


SAYS = {
    "a manager": "def f():\n    return Judgment.of_people.count()",
    "its condition": (
        "def f():\n    of_people = Judgment.of_people.condition('comparison__judgment__')\n"
        "    return RankedResponse.objects.filter(of_people)"
    ),
    "what counts": "def f():\n    return Comparison.objects.filter(counting.counts('judgment__'))",
    "given judgments": (
        "def f(rows):\n    return RankedResponse.objects.filter(comparison__judgment__in=rows)"
    ),
    "a query set of the caller": (
        "def f(rows: QuerySet[Judgment]):\n    return rows.filter(comparison__ranked__rank=1)"
    ),
    "a new row": "def f():\n    return Comparison.objects.create(reason='')",
    "a type": "def f(judgment: Judgment | None) -> list[Judgment]:\n    return []",
    "one rater's, in SQL": (
        "SQL = 'SELECT 1 FROM labeling_judgment own WHERE own.rater_id = %(rater)s'"
    ),
}


@pytest.mark.parametrize("source", SAYS.values(), ids=SAYS.keys())
def test_what_says_whose_is_fine(source: str) -> None:
    assert not problems(source, {"Comparison", "Demonstration", "RankedResponse"}, ways_in())


def test_the_tables_of_people_only_point_to_judgments() -> None:
    """A table that is renamed or gone leaves no name behind."""
    named = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is Judgment
    }

    assert set(OF_PEOPLE_ONLY) | set(OF_JUDGES_ONLY) <= named
