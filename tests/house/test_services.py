"""Rules for services and selectors: keyword-only, the time passed in, and selectors never write."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "labeling", "training")
MODULES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py"))
SERVICES = [path for path in MODULES if path.name == "services.py"]
# What answers a request or a message reads the clock, and passes the time on. So does a process
# that lives for hours: the child, and the worker beside it.
INTERFACE = (
    "views",
    "tasks.py",
    "api",
    "models",
    "migrations",
    "management",
    "supervisor",
    "trainer",
)
INTERFACE_MODULES = (
    "accounts/login/adapter.py",
    "accounts/login/middleware.py",
    "accounts/login/sessions.py",
    "labeling/desk/access.py",
    "labeling/desk/next_item.py",
    "labeling/pay/periods.py",
    "labeling/people/single_sign_on/adapter.py",
    "training/nodes/node_heartbeat.py",
    "training/operations/metrics.py",
    "training/operations/readiness.py",
    "training/playground/conversations/answering.py",
    "training/processes/run_dir.py",
    "training/registry/launch_remote.py",
)
READS_THE_CLOCK = {
    "timezone.now",
    "datetime.now",
    "dt.datetime.now",
    "datetime.datetime.now",
    "time.time",
    "date.today",
}
WRITES = {
    "create",
    "bulk_create",
    "update",
    "bulk_update",
    "delete",
    "save",
    "get_or_create",
    "update_or_create",
}


def is_interface(path: Path) -> bool:
    inside = path.relative_to(ROOT)
    return (
        str(inside) in INTERFACE_MODULES
        or path.stem.endswith(("views", "api"))
        or not set(INTERFACE).isdisjoint(inside.parts)
    )


def calls(path: Path, *names: str) -> list[ast.Call]:
    """Those of a module. A module whose text has none of `names` is not parsed: to parse all of
    them takes seconds.
    """
    text = path.read_text()
    if not any(name in text for name in names):
        return []
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_service_takes_keywords_only_and_says_what_it_returns() -> None:
    public = {
        f"{named(path)}: {node.name}": node
        for path in SERVICES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }

    assert public
    assert [name for name, node in public.items() if node.args.args or node.args.posonlyargs] == []
    assert [name for name, node in public.items() if node.returns is None] == []


def test_nothing_below_the_interface_reads_the_clock() -> None:
    below = [path for path in MODULES if not is_interface(path)]

    reading = [
        f"{named(path)}:{call.lineno}"
        for path in below
        for call in calls(path, ".now(", ".time(", ".today(")
        if ast.unparse(call.func) in READS_THE_CLOCK
    ]

    assert below
    assert reading == []


@pytest.mark.parametrize("app", APPS)
def test_no_signal_carries_our_own_logic(app: str) -> None:
    listening = [
        named(path)
        for path in (ROOT / app).rglob("*.py")
        if "django.dispatch" in path.read_text() or "db.models.signals" in path.read_text()
    ]

    assert listening == []


@pytest.mark.parametrize("app", APPS)
def test_a_selector_never_writes(app: str) -> None:
    selectors = list((ROOT / app).rglob("selectors.py"))

    writing = [
        f"{named(path)}:{call.lineno}"
        for path in selectors
        for call in calls(path, "objects")
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in WRITES
        and "objects" in ast.unparse(call.func)
    ]

    assert selectors
    assert writing == []


def test_no_package_re_exports_its_modules() -> None:
    """Callers import from where a thing is. One package is a list: of the tables, which Django
    wants in one place.
    """
    facades = [
        named(path)
        for app in APPS
        for path in (ROOT / app).rglob("__init__.py")
        if path.parent.name != "models" and "__all__" in path.read_text()
    ]

    assert facades == []
