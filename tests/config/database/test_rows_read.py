"""How many rows the database reads for a page of a site with many judgments: as few as it shows,
not as many as there are. EXPLAIN ANALYZE says it of each query.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from benchmarks import quality
from labeling.access import withdrawn_prompt_ids
from labeling.campaigns import board
from labeling.models import Campaign, Judgment, Prompt, Rater, Source
from labeling.quality import figure_cache
from labeling.queue import feed
from training.models import Snapshot, SnapshotJudgment
from training.registry.lineage import collected_data

N_ITEMS = 2_000
AT_MOST = 2_000
"""Rows that one query may read. The site has 2,000 prompts, 8,000 responses and 6,000 judgments."""

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """A campaign whose figures take long, and PostgreSQL with the plans of large tables."""
    campaign = quality.campaign_of(n_items=N_ITEMS)
    quality.judge(first=0, n=3 * N_ITEMS, of=3 * N_ITEMS)
    snapshot = Snapshot.objects.create(name="all", kind="comparisons", n_rows=3 * N_ITEMS)
    judgments = Judgment.of_people.values_list("pk", flat=True)
    SnapshotJudgment.objects.bulk_create(
        SnapshotJudgment(snapshot=snapshot, judgment_id=pk) for pk in judgments
    )
    Prompt.objects.update(licence="MIT")
    Source.objects.update(licence="proprietary")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE")
        for way in ("seqscan", "hashjoin", "mergejoin"):  # right for small tables only
            cursor.execute(f"SET LOCAL enable_{way} = off")
    monkeypatch.setattr(figure_cache, "QUICK_S", -1.0)
    monkeypatch.setattr(figure_cache, "QUICK_ROWS", 100)
    monkeypatch.setattr(feed, "LOOKED_AT", 100)
    monkeypatch.setattr(feed, "LISTED", 100)
    return campaign


ADDRESSES = [
    "/campaigns/",
    "/campaigns/{pk}/",
    "/campaigns/{pk}/close",
    "/campaigns/{pk}/export/",
    "/campaigns/{pk}/set-up/",
    "/campaigns/new/",
    "/lineage/campaigns/{pk}/",
    "/lineage/prompts/{prompt}/",
    "/prompts/{prompt}/",
    "/prompts/new/",
    "/snapshots/new/",
    "/snapshots/new/?kind=comparisons",
    "/snapshots/new/?kind=prompts",
    "/api/v1/campaigns",
    "/api/v1/judgments",
    "/api/v1/judgments?licence=MIT",
    "/api/v1/judgments?since=2026-02-28T00:00Z",
    "/api/v1/judgments?since=2026-02-28T00:00Z&campaign={pk}",
    "/api/v1/prompts",
    "/api/v1/lineage/campaigns/{pk}",
]
FIGURES = ["answered", "n_answers", "licences", "sources", "standing", "board"]
COUNTS = ('SELECT COUNT(*) AS "__count" FROM "labeling_item" WHERE "labeling_item"."campaign_id"',)
"""The number of a campaign's items is read from an index, in milliseconds."""


def test_no_page_reads_more_rows_than_it_shows(large: Campaign) -> None:
    client = Client()
    client.force_login(
        User.objects.create_user(email="both@example.org", is_admin=True, is_researcher=True)
    )
    addresses = [text.format(pk=large.pk, prompt=quality.FIRST + 5) for text in ADDRESSES]

    empty = {path: rows_read_most(client, path) for path in addresses if "/api/" not in path}
    collected_data.refresh_snapshots(name="in_snapshots", pk=large.pk, now=timezone.now())
    for name in FIGURES:
        board.refresh_figures(name=name, pk=large.pk, now=timezone.now())
    read = {address: rows_read_most(client, address) for address in addresses}

    assert {address: query for address, query in read.items() if query[0] > AT_MOST} == {}
    assert {address: query for address, query in empty.items() if query[0] > AT_MOST} == {}


@pytest.mark.parametrize("path", ["", "close", "reopen", "export/", "set-up/"])
@pytest.mark.parametrize("state", [Campaign.State.CLOSED, Campaign.State.PAUSED])
def test_no_state_of_a_campaign_makes_its_pages_count(
    large: Campaign, state: str, path: str
) -> None:
    Campaign.objects.update(state=state, budget=10**6, budget_unit=Campaign.Budget.JUDGMENTS)
    client = Client()
    client.force_login(User.objects.create_user(email="admin@example.org", is_admin=True))

    assert rows_read_most(client, f"/campaigns/{large.pk}/{path}")[0] <= AT_MOST


def test_excluding_what_few_people_wrote_reads_no_prompt_twice(large: Campaign) -> None:
    """PostgreSQL expected all prompts to be theirs, and searched them for each prompt."""
    author = User.objects.create_user(email="gone@example.org", name="Gone")
    Rater.everyone.create(alias="gone", user=author, withdrawn_at=timezone.now())
    theirs = Source.objects.create(name="gone", kind=Source.Kind.PERSON, person=author)
    Prompt.objects.filter(pk=quality.FIRST + 7).update(source=theirs)

    with connection.execute_wrapper(noting := Noting()):
        assert withdrawn_prompt_ids() == [quality.FIRST + 7]

    assert sum(rows_read(*query) for query in noting.queries) < 100


def rows_read_most(client: Client, address: str) -> tuple[int, str]:
    """(rows, statement) of the query of a page that reads most."""
    client.get(address)  # a program counts what is not cached, and caches it
    with connection.execute_wrapper(noting := Noting()):
        answer = client.get(address)
    assert answer.status_code == 200, address
    queries = [query for query in noting.queries if not query[0].startswith(COUNTS)]
    return max((rows_read(*query), query[0]) for query in queries)


class Noting:
    """For connection.execute_wrapper: keeps what is read, with its parameters."""

    def __init__(self) -> None:
        self.queries: list[tuple[str, Any]] = []

    def __call__(self, execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        # A cursor reads what the query after its FOR says.
        query = text.partition(" FOR ")[2] if text.startswith("DECLARE") else text
        if query.lstrip().startswith(("SELECT", "WITH")):
            self.queries.append((query, params))
        return execute(text, params, many, context)


def rows_read(statement: str, params: Any) -> int:
    """The rows of all tables and indexes that PostgreSQL looks at."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", params)
        ((answer,),) = cursor.fetchall()
    (explained,) = json.loads(answer) if isinstance(answer, str) else answer
    return sum(rows_of(node) for node in nodes(explained["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def rows_of(node: dict[str, Any]) -> int:
    if not node["Node Type"].endswith("Scan"):
        return 0
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(looked_at * node["Actual Loops"])
