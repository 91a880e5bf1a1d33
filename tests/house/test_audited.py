"""What admins and researchers do is written down: each of their pages that takes a POST, and each
write of the API, leads to the audit log.

Read from the code and not tried out: what a view's function names, and what that names in turn, as
far as our own code goes.
"""

import ast
import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts import audit_log
from config.api_permissions import API_TABLE
from config.permissions import TABLE
from config.roles import STAFF

OURS = ("accounts.", "labeling.", "training.")
WRITES = ("post", "patch", "delete")
SENDS_FILES = {"FileResponse", "StreamingHttpResponse", "csv_download", "Content-Disposition"}
"""What a view has in its code that sends a file."""
FEEDS = {"api_judgments", "api_snapshot_rows"}
"""What people wrote, page by page: no file, but as good as one."""
NO_WORK_OF_PEOPLE = {
    "scorecard_csv": "figures of a scorecard",
    "scorecard_json": "the same",
    "model_answer": "a model's own answer, while it is written",
    "my_pay_csv": "a rater's own hours",
}
NOTHING_IS_KEPT = {
    "api_run_estimate": "a guess of hours and cost",
    "api_import_preview": "the first rows of a file, not kept",
    "run_cost": "the same, on the form",
    "campaign_count": "how many prompts a form would take",
    "api_campaign_count": "the same, for a call",
    "campaign_preview": "an admin tries the desk, and nothing of it is stored",
    "campaign_preview_text": "how a text would look",
    "campaign_quality_compute": "“Compute again”: the same figures, only sooner",
    "api_campaign_quality": "“Compute again”: the same figures of the same judgments, only sooner",
    "crowd_prolific_check": "the same look at Prolific as the beat's, only sooner",
    "api_prolific_study_poll": "the same",
    "model_ask": "a question to a model lives in the broker for an hour",
    "model_answer_stop": "and so does its answer",
}
ACTS_WITHOUT_A_RECORD = {"ask_models": "a question to a model lives in the broker for an hour"}


def urls(patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from urls(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            for view in writes_of(pattern.callback):
                if view.__module__.startswith(OURS):
                    yield pattern.name, view


def writes_of(callback: Any) -> list[Any]:
    """The function of a page, or the methods of a view set that change something."""
    if not hasattr(callback, "actions"):
        return [inspect.unwrap(callback)]
    methods = [callback.actions[verb] for verb in WRITES if verb in callback.actions]
    return [inspect.unwrap(getattr(callback.cls, method)) for method in methods]


def is_posted_to(name: str, view: Any) -> bool:
    """For admins or researchers only."""
    if name.startswith("api_"):
        return any(f"{verb.upper()} {name}" in API_TABLE for verb in WRITES)
    node = node_of(view)
    doors = ast.unparse(ast.List(elts=node.decorator_list)) if node else ""
    return (
        bool(TABLE[name])
        and TABLE[name] <= STAFF
        and ("require_POST" in doors or "'POST'" in doors)
    )


@functools.cache
def tree_of(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


@functools.cache
def node_of(thing: Any) -> ast.FunctionDef | ast.ClassDef | None:
    module = inspect.getmodule(thing)
    inside: ast.AST | None = tree_of(module) if module else None
    for name in thing.__qualname__.split("."):
        inside = next(
            (
                part
                for part in ast.walk(inside or ast.Module([], []))
                if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name == name
            ),
            None,
        )
    return inside if isinstance(inside, ast.FunctionDef | ast.ClassDef) else None


def meant(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name, or an attribute of a module or class, refers to; None if only a running program
    knows.
    """
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = meant(node.value, names)
        return (
            getattr(owner, node.attr, None)
            if inspect.ismodule(owner) or inspect.isclass(owner)
            else None
        )
    return None


@functools.cache
def named_in(thing: Any) -> frozenset[Any]:
    """Our functions and classes that it names."""
    node, module = node_of(thing), inspect.getmodule(thing)
    if node is None or module is None:
        return frozenset()
    found = [
        meant(part, vars(module))
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    ]
    code = {inspect.unwrap(one) for one in found if inspect.isfunction(one) or inspect.isclass(one)}
    return frozenset(one for one in code - {thing} if one.__module__.startswith(OURS))


def is_service(thing: Any) -> bool:
    return inspect.isfunction(thing) and ".services" in thing.__module__


def reached(thing: Any, *, beyond_services: bool) -> set[Any]:
    """Everything that it leads to; without `beyond_services`, no further than the services that it
    calls itself.
    """
    seen: set[Any] = set()
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        if one is not audit_log.record and (beyond_services or not is_service(one)):
            waiting.extend(named_in(one))
    return seen


POSTED_TO = [
    (name, view) for name, view in urls(get_resolver().url_patterns) if is_posted_to(name, view)
]


def reads(patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    """Each URL's name, and the function that answers a GET."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from reads(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            callback: Any = pattern.callback
            actions = getattr(callback, "actions", None)
            view = inspect.unwrap(callback)
            node = node_of(view) if actions is None and inspect.isfunction(view) else None
            if node is not None and "require_POST" not in ast.unparse(
                ast.List(elts=node.decorator_list)
            ):
                yield pattern.name, view
            elif actions and "get" in actions:
                yield pattern.name, inspect.unwrap(getattr(callback.cls, actions["get"]))


@functools.cache
def words_in(thing: Any) -> frozenset[str]:
    """Names and texts in its code."""
    node = node_of(thing)
    if node is None:
        return frozenset()
    return frozenset(
        str(part.id if isinstance(part, ast.Name) else part.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Name)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str))
    )


def sends_a_file(view: Any) -> bool:
    return any(
        not SENDS_FILES.isdisjoint(words_in(thing)) for thing in reached(view, beyond_services=True)
    )


DOWNLOADS = [
    (name, view)
    for name, view in reads(get_resolver().url_patterns)
    if getattr(view, "__module__", "").startswith(OURS) and (name in FEEDS or sends_a_file(view))
]


def test_there_are_downloads_to_look_at() -> None:
    names = {name for name, _view in DOWNLOADS}

    assert names > FEEDS | {"export_file", "api_export_file", "pay_csv", "model_archive"}
    assert names > set(NO_WORK_OF_PEOPLE)


@pytest.mark.parametrize(("name", "view"), DOWNLOADS, ids=[name for name, _view in DOWNLOADS])
def test_what_is_downloaded_is_written_down(name: str, view: Any) -> None:
    is_written_down = audit_log.record in reached(view, beyond_services=True)

    assert is_written_down is not (name in NO_WORK_OF_PEOPLE)


def test_there_are_pages_to_look_at() -> None:
    assert len(POSTED_TO) > 80


@pytest.mark.parametrize(("name", "view"), POSTED_TO, ids=[name for name, _view in POSTED_TO])
def test_what_is_posted_by_admins_and_researchers_is_written_down(name: str, view: Any) -> None:
    is_written_down = audit_log.record in reached(view, beyond_services=True)

    assert is_written_down is not (name in NOTHING_IS_KEPT)


def test_every_act_of_a_person_that_a_view_calls_is_written_down() -> None:
    called = {
        one
        for _name, view in POSTED_TO
        for one in reached(view, beyond_services=False)
        if is_service(one)
    }
    acts = {service for service in called if "by" in inspect.signature(service).parameters}

    silent = {
        service.__name__
        for service in acts
        if audit_log.record not in reached(service, beyond_services=True)
    }

    assert len(acts) > 70
    assert silent == set(ACTS_WITHOUT_A_RECORD)


def test_a_service_that_a_view_calls_gets_the_person_who_acts() -> None:
    called = {
        one
        for _name, view in POSTED_TO
        for one in reached(view, beyond_services=False)
        if is_service(one)
    }
    recording = {
        service for service in called if audit_log.record in reached(service, beyond_services=True)
    }

    assert {
        service.__name__
        for service in recording
        if "by" not in inspect.signature(service).parameters
    } == set()
