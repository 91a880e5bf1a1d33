"""The pages of scorecards at 50 models × 20 suites: how long the server takes.

    python scripts/run_with_services.py python benchmarks/scorecard_page.py [--models 50]

Requests go through all of Django and a real PostgreSQL, in one process. `card_ms` is the median
processor time of a model's scorecard, `model_ms` of its page, `grid_ms` of the page of all models,
and `compare_ms` of six models with the items on which they differ; `floor_ms` is an empty page.
`first_ms` is the first request for a card, before its differences are cached. Every suite has 450
items, and each of the six compared models has an answer and a score for every one. The last line
is JSON.
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
)
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from arithmetic import intervals  # noqa: E402
from training.models import (  # noqa: E402
    AnswerScore,
    BenchmarkAnswer,
    Run,
    Snapshot,
    Suite,
    SuiteItem,
    SuiteScore,
    TrainedModel,
)

N_COMPARED = 6
N_ITEMS = 450
SCORER = "likelihood 1"
FLOOR = "/notices/"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--models", type=int, default=50)
    options.add_argument("--suites", type=int, default=20)
    options.add_argument("--each", type=int, default=15, help="how often each page is asked for")
    chosen = options.parse_args()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps(measure(chosen.models, chosen.suites, chosen.each)))
    finally:
        teardown_databases(databases, verbosity=0)


def measure(n_models: int, n_suites: int, each: int) -> dict[str, object]:
    person = User.objects.create_user(email="noor@example.org", name="Noor", is_researcher=True)
    models = seed(person, n_models, n_suites)
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    query = "&".join(f"model={model.pk}" for model in models[:N_COMPARED])
    pages = {
        "floor": FLOOR,
        "card": f"/models/{models[1].pk}/scorecard/",
        "model": f"/models/{models[1].pk}/",
        "grid": "/models/scorecards/",
        "compare": f"/models/scorecards/compare/?{query}",
    }
    answered(client, pages["floor"])
    answered(client, pages["grid"])
    cache.clear()
    first = timed(lambda: answered(client, pages["card"]))
    first_compare = timed(lambda: answered(client, pages["compare"]))
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for _round in range(each + 2):
        for name, path in pages.items():
            taken[name].append(timed(lambda path=path: answered(client, path)))  # type: ignore[misc]
    found: dict[str, object] = {"models": n_models, "suites": n_suites, "items": N_ITEMS}
    for name, times in taken.items():
        found[f"{name}_ms"] = round(statistics.median(cpu for cpu, _wall in times[2:]) * 1000, 1)
        found[f"{name}_wall_ms"] = round(
            statistics.median(wall for _cpu, wall in times[2:]) * 1000, 1
        )
    found["first_ms"] = round(first[0] * 1000, 1)
    found["first_compare_ms"] = round(first_compare[0] * 1000, 1)
    found["page_kb"] = round(len(client.get(pages["grid"]).content) / 1024)
    return found


def timed(ask: Callable[[], None]) -> tuple[float, float]:
    """(processor seconds of this process, elapsed seconds)."""
    cpu, clock = time.process_time(), time.perf_counter()
    ask()
    return time.process_time() - cpu, time.perf_counter() - clock


def answered(client: Client, path: str) -> None:
    if client.get(path).status_code != 200:
        raise RuntimeError(path)


def seed(person: User, n_models: int, n_suites: int) -> list[TrainedModel]:
    """Every model with a score on every suite; the first six with answers behind their scores."""
    rng = random.Random(16)  # not for secrets
    suites = [a_suite(place) for place in range(n_suites)]
    snapshot = Snapshot.objects.create(
        name="Suites",
        kind="suites",
        folder="none",
        n_rows=n_suites * N_ITEMS,
        filters={"suites": [suite.pk for suite in suites]},
    )
    models: list[TrainedModel] = []
    for place in range(n_models):
        model = TrainedModel.objects.create(
            name=f"helpful-7b-step-{place}",
            kind="policy",
            location="/models/x",
            parent=models[0] if models else None,
        )
        models.append(model)
        a_benchmark(person, model, suites, snapshot, rng, has_answers=place < N_COMPARED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return models


def a_suite(place: int) -> Suite:
    area = Suite.Area.values[place % 4]
    suite = Suite.objects.create(
        slug=f"suite-{place}",
        version="1",
        name=f"Suite {place}",
        kind="choice",
        area=area,
        scorer="likelihood",
        licence="CC0-1.0",
        items_hash="0" * 64,
        n_items=N_ITEMS,
    )
    SuiteItem.objects.bulk_create(
        SuiteItem(
            suite=suite,
            position=number,
            key=f"q{number}",
            category=f"category {number % 10}",
            cluster=f"c{number % 50}" if place % 5 == 0 else "",
            prompt=[{"role": "user", "content": f"Question {number}? " * 8}],
            content={"choices": ["one", "two", "three", "four"], "answer": number % 4},
        )
        for number in range(N_ITEMS)
    )
    return suite


def a_benchmark(
    person: User,
    model: TrainedModel,
    suites: list[Suite],
    snapshot: Snapshot,
    rng: random.Random,
    *,
    has_answers: bool,
) -> None:
    now = timezone.now()
    run = Run.objects.create(
        name=f"Benchmark of {model.name}",
        kind="benchmark",
        snapshot=snapshot,
        base_model=model,
        created_by=person,
        state="finished",
        outcome="succeeded",
        attempt=1,
        finished_at=now - timedelta(hours=1),
    )
    for suite in suites:
        skill = 0.4 + 0.5 * rng.random()
        values = [float(rng.random() < skill) for _item in range(N_ITEMS)]
        if has_answers:
            store_values(run, suite, values)
        store_score(run, model, suite, values)


def store_values(run: Run, suite: Suite, values: list[float]) -> None:
    items = list(suite.items.order_by("position"))
    answers = BenchmarkAnswer.objects.bulk_create(
        BenchmarkAnswer(run=run, item=item, values={"log_likelihoods": [-1.0, -2.0, -3.0, -4.0]})
        for item in items
    )
    AnswerScore.objects.bulk_create(
        AnswerScore(answer=answer, scorer=SCORER, value=value)
        for answer, value in zip(answers, values, strict=True)
    )


def store_score(run: Run, model: TrainedModel, suite: Suite, values: list[float]) -> None:
    low, high = intervals.of_votes(values, range(N_ITEMS)) or (None, None)
    category = {"n": 45, "score": 0.5, "low": 0.4, "high": 0.6}
    SuiteScore.objects.create(
        run=run,
        model=model,
        suite=suite,
        scorer=SCORER,
        is_main=True,
        is_current=True,
        n=N_ITEMS,
        score=sum(values) / N_ITEMS,
        low=low,
        high=high,
        details={"by_category": {f"category {n}": category for n in range(10)}},
        computed_at=timezone.now(),
    )


if __name__ == "__main__":
    main()
