"""Compiled queries give the answers of the same queries through the ORM, on the Django that is
installed.

config/performance/compiled.py uses parts of Django that its documentation does not promise (ADR
9). When an upgrade changes one of them, these tests fail.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper, ServerBindingCursor
from django.db.models import BigAutoField, Model
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import accounts
import labeling
import training
from accounts.login import sessions
from config.performance.compiled import Compiled, insert
from labeling.desk import work
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer
from labeling.models import (
    Campaign,
    Comparison,
    Item,
    Judgment,
    RankedResponse,
    Rater,
    Slot,
)
from labeling.queue import admission, slots
from labeling.queue.claiming import claim, order
from tests.cast import NOON, lease_of

MADE_BY_DATABASE = {"id", "comparison_id", "judgment_id"}
INSTALLED = "config/performance/compiled.py relies on it: read docs/adr/0009-compiled-queries.md"


def content(instance: Model | None) -> Any:
    """All loaded fields, annotations and related instances."""
    if instance is None:
        return None
    fields = {name: value for name, value in vars(instance).items() if name != "_state"}
    related = {name: content(one) for name, one in instance._state.fields_cache.items()}
    return type(instance), instance._state.db, instance._state.adding, fields, related


@pytest.fixture
def asked(
    comparison_campaign: Campaign, demonstration_campaign: Campaign, rosa: Rater
) -> dict[Compiled[Any], list[dict[str, Any]]]:
    """Values for each compiled query of the product: at least one row found, and none."""
    given = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    written = DemonstrationAnswer(text="Four.")
    submit.submit(lease=lease_of(given), rater=rosa, answer=written, now=NOON)
    demonstration = claim.claim(campaign=demonstration_campaign, rater=rosa, now=NOON)
    assert demonstration is not None
    slots.store_draft(item_id=demonstration.item_id, rater=rosa, content={"text": "Fi"}, now=NOON)
    comparison = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert comparison is not None
    now = timezone.now()
    Session.objects.create(
        session_key="k" * 32, session_data="", expire_date=now + timedelta(days=1)
    )
    pool, user = comparison_campaign.pool_id, rosa.user_id
    entry = {"rater": rosa.pk, "pool": pool, "campaign": comparison_campaign.pk, "user": user}
    item = {"item": demonstration.item_id, "rater": rosa.pk}
    day = {"rater": rosa.pk, "until": NOON + timedelta(days=1)}
    return {
        sessions._SESSION: [
            {"key": "k" * 32, "now": now},
            {"key": "k" * 32, "now": now + timedelta(days=2)},
            {"key": None, "now": now},
        ],
        sessions._USER: [{"pk": user}, {"pk": 0}],
        order._SHOWN: [{"item": comparison.item_id}, {"item": 0}],
        admission._MEMBERSHIP: [entry, entry | {"campaign": 0}, entry | {"pool": None}],
        work._SLOT: [
            {"lease": comparison.lease, "user": user},
            {"lease": comparison.lease, "user": 0},
        ],
        work._ITEM_WITH_PROMPT: [item, item | {"rater": 0}, item | {"item": 0}],
        work._TALLY: [
            day | {"since": NOON - timedelta(hours=1)},
            day | {"since": NOON + timedelta(hours=1)},
        ],
    }


def test_a_compiled_query_gives_the_rows_of_the_plain_one(
    asked: dict[Compiled[Any], list[dict[str, Any]]],
) -> None:
    for query, cases in asked.items():
        for values in cases:
            plain = query.plain(**values)
            if query is work._TALLY:
                assert [tuple(row) for row in query.rows(**values)] == list(plain)
                continue
            assert [content(one) for one in query.all(**values)] == [content(one) for one in plain]
            assert content(query.first(**values)) == content(next(iter(plain), None))
        assert query.plain(**cases[0]), "the first case finds a row"


def test_every_compiled_query_of_the_product_is_compared(
    asked: dict[Compiled[Any], list[dict[str, Any]]],
) -> None:
    found = {
        f"{module.__name__}.{name}": query
        for package in (accounts, labeling, training)
        for module in _modules(package)
        for name, query in vars(module).items()
        if isinstance(query, Compiled)
    }

    assert {name for name, query in found.items() if query not in asked} == set()


@pytest.mark.django_db
def test_a_compiled_query_is_planned_once_a_connection() -> None:
    items = Compiled(lambda pk: Item.objects.filter(pk=pk), pk=BigAutoField())

    for pk in range(10):
        items.all(pk=pk)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement = %s",
            [items._statement[0].replace("%s", "$1")],
        )
        planned = cursor.fetchall()
    assert planned == [(9,)]  # the first call is sent as it is, so that psycopg may count it


def answer_rows(slot: Slot) -> Iterator[list[Any]]:
    """A judgment with nulls, JSON and text that looks like a placeholder; insert each part before
    asking for the next.
    """
    judgment = Judgment(
        kind="comparison",
        rater=slot.rater,
        prompt_id=slot.item.prompt_id,
        campaign_id=slot.campaign_id,
        item_id=slot.item_id,
        slot_id=slot.pk,
        lease=slot.lease,
        presentation={"seen": ["ü", None, "100 %s"]},
        warnings=[],
        leased_at=slot.leased_at,
        submitted_at=NOON,
    )
    yield [judgment]
    comparison = Comparison(judgment=judgment, reason="50 % of %s")
    yield [comparison]
    yield [
        RankedResponse(
            comparison=comparison,
            response=response,
            position=place,
            rank=place or None,
            ratings={"overall": place, "harmful": False},
        )
        for place, response in enumerate(order.presented(slot))
    ]


def inserted(how: Callable[..., Any], slot: Slot) -> list[dict[str, Any]]:
    """The rows after `how` inserted each model's instances, without the keys that the database
    made.
    """
    rows = []
    for instances in answer_rows(slot):
        how(*instances)
        assert all(one.pk and not one._state.adding for one in instances)
        assert {one._state.db for one in instances} == {"default"}
        manager = type(instances[0])._base_manager
        rows += [manager.values().get(pk=one.pk) for one in instances]
    Judgment.of_people.get(lease=slot.lease).delete()
    return [
        {name: value for name, value in row.items() if name not in MADE_BY_DATABASE} for row in rows
    ]


def test_an_insert_stores_the_rows_of_bulk_create(
    comparison_campaign: Campaign, rosa: Rater
) -> None:
    slot = claim.claim(campaign=comparison_campaign, rater=rosa, now=NOON)
    assert slot is not None

    ours = inserted(insert, slot)

    assert ours == inserted(lambda *all_of: type(all_of[0])._base_manager.bulk_create(all_of), slot)
    assert len(ours) > 3


@pytest.mark.django_db
def test_a_plan_that_is_made_once_knows_the_constants_that_partial_indexes_need() -> None:
    """Leases of a campaign have an index of their own, which serves only a query with the constant
    state.
    """
    leases = Compiled(
        lambda campaign: Slot.objects.filter(state=Slot.State.LEASED, campaign=campaign),
        campaign=BigAutoField(),
    )
    assert leases.all(campaign=1) == []

    statement, gaps = leases._statement

    assert "\"state\" = 'leased'" in statement
    assert [gap.value for gap in gaps] == ["campaign"]


@pytest.mark.django_db
def test_one_call_is_one_query() -> None:
    items = Compiled(lambda pk: Item.objects.filter(pk=pk), pk=BigAutoField())

    with CaptureQueriesContext(connection) as queries:
        items.first(pk=1)

    assert len(queries) == 1


def test_the_parts_of_django_that_a_compiled_query_uses_are_as_they_were() -> None:
    assert list(inspect.signature(get_related_populators).parameters) == [
        "klass_info",
        "select",
        "db",
    ], INSTALLED
    for name in ("as_sql", "get_converters", "apply_converters"):
        assert callable(getattr(SQLCompiler, name)), INSTALLED
    for name in ("_prepare_cursor", "close_if_health_check_failed", "ensure_connection"):
        assert callable(getattr(DatabaseWrapper, name)), INSTALLED
    assert ServerBindingCursor.__mro__[1].__name__ == "CursorMixin", INSTALLED


def _modules(package: Any) -> list[Any]:
    """All modules of a package but the trainer, which loads torch and has no queries."""
    return [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.startswith("training.trainer")
    ]
