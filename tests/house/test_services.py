"""Rules for what writes: keyword-only, told the time, and nobody else writes or listens."""

import ast
import inspect
import typing
from pathlib import Path

import pytest

from labeling import services as labeling_services

ROOT = Path(__file__).resolve().parents[2]
BELOW_THE_INTERFACE = sorted(
    [
        *(ROOT / "labeling/services").glob("*.py"),
        *(ROOT / "labeling/selectors").glob("*.py"),
        *(ROOT / "labeling/exports").glob("*.py"),
        *(ROOT / "labeling" / name for name in ("intake.py", "rating_form.py")),
        *(ROOT / "labeling" / name for name in ("queue.py", "free_slots.py", "claim_sql.py")),
    ]
)
FUNCTIONS = [
    getattr(labeling_services, name)
    for name in labeling_services.__all__
    if inspect.isfunction(getattr(labeling_services, name))
]


@pytest.mark.parametrize("service", FUNCTIONS, ids=lambda service: service.__name__)
def test_a_service_takes_keywords_only_and_says_what_it_returns(service: typing.Any) -> None:
    signature = inspect.signature(service)

    kinds = {parameter.kind for parameter in signature.parameters.values()}

    assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    assert signature.return_annotation is not inspect.Signature.empty


@pytest.mark.parametrize("path", BELOW_THE_INTERFACE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_below_the_interface_reads_the_clock(path: Path) -> None:
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }

    assert not calls & {
        "timezone.now",
        "datetime.now",
        "dt.datetime.now",
        "datetime.datetime.now",
        "time.time",
        "date.today",
    }


@pytest.mark.parametrize("app", ["accounts", "labeling", "training"])
def test_no_signal_carries_our_own_logic(app: str) -> None:
    listening = [
        path.relative_to(ROOT)
        for path in (ROOT / app).rglob("*.py")
        if "django.dispatch" in path.read_text() or "db.models.signals" in path.read_text()
    ]

    assert not listening


@pytest.mark.parametrize("app", ["accounts", "labeling", "training"])
def test_a_selector_never_writes(app: str) -> None:
    writes = {
        "create",
        "bulk_create",
        "update",
        "bulk_update",
        "delete",
        "save",
        "get_or_create",
        "update_or_create",
    }
    for path in [*(ROOT / app / "selectors").glob("*.py"), ROOT / app / "selectors.py"]:
        if path.exists():
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in writes
                ):
                    assert "objects" not in ast.unparse(node.func), (
                        f"{path.name}:{node.lineno} writes"
                    )
