"""Twenty raters who talk with models at the same time: is a turn lost or stored twice, what does
waiting cost, and how long do answers take?

    python scripts/run_with_services.py --durable python benchmarks/conversations.py [--quick]
    python scripts/run_with_services.py python benchmarks/conversations.py --model FOLDER

The site runs as in production: gunicorn with two workers and the worker of the queue `models`, with
a thread for each rater. Two answers a turn come from a stub of an OpenAI-compatible endpoint that
writes 20 tokens a second: one model writes 64 tokens, the other 32. Raters do what the pages do:
they ask every second whether the answers are there, open them, rate them and write the next
message. Site, worker, endpoint and raters share this machine's cores.

The last line is JSON:

- `errors`: raters who saw an error, or waited two minutes for answers.
- `lost_turns`: turns reported as saved that are not stored whole: one comparison of two ranked
  answers, and a next history that ends with the better one.
- `double_turns`: turns with more than one comparison or more than two answers shown, requests that
  were answered twice, and turn numbers used twice.
- `over_assigned`: items with more judgments than slots, or two by one rater.
- `poll_cpu_ms`: processor time of gunicorn and PostgreSQL per poll (/proc/<pid>/stat), while
  nothing else happens; at most 15. `floor_ms`: of an empty page for a logged-in person.
- `turns_per_min`, `wait_p50_s`, `wait_p95_s`: from a message to its answers on the page. The
  longer answer alone takes 3.2 s.

--model: instead, two answers of 64 tokens by the model in FOLDER (SmolLM2-135M-Instruct, as
`python -m training.trainer.demo_model FOLDER` saves it), each in a warm child process:
`two_answers_s`.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import services as servers  # noqa: E402

os.environ |= {"PREFERABLY_ENDPOINT_HOSTS": "127.0.0.1", "PREFERABLY_MODEL_ROOTS": "/"}

from benchmarks import desk  # noqa: E402  # sets up the site

N_RATERS = 20
TOKENS_PER_S = 20
N_TOKENS = 64
N_OPENINGS = N_RATERS // 2
OVERLAP = 2

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks.fixtures import command_line, desk_campaigns  # noqa: E402
from benchmarks.talking import checks  # noqa: E402
from benchmarks.talking.raters import TalkingRater  # noqa: E402
from labeling.campaigns import services as campaigns_services  # noqa: E402
from labeling.campaigns.conversation_plan import Plan, SourceShare  # noqa: E402
from labeling.conversations import turns  # noqa: E402
from labeling.guidelines import services as guidelines_services  # noqa: E402
from labeling.kinds.conversation import ConversationSettings, TalkSettings  # noqa: E402
from labeling.models import (  # noqa: E402
    Campaign,
    ConversationTurn,
    Pool,
    Prompt,
    Source,
)
from labeling.people.accounts import services as accounts_services  # noqa: E402
from labeling.queue import slots  # noqa: E402
from labeling.queue.claiming.claim import claim  # noqa: E402
from training.models import TrainedModel  # noqa: E402
from training.registry import endpoints  # noqa: E402
from training.registry import services as registry_services  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="2 turns each and 400 polls, not 6")
    parser.add_argument("--model", type=Path, help="time two answers by the model in this folder")
    chosen = parser.parse_args()
    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    if chosen.model:
        found = measure_model(chosen.model.absolute())
    else:
        call_command("collectstatic", verbosity=0, interactive=False)
        found = measure(n_turns=2 if chosen.quick else 6, n_polls=400 if chosen.quick else 2_000)
    about = {
        "took_s": round(time.perf_counter() - began, 1),
        "load_average": os.getloadavg(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "commit": command_line.commit(),
    }
    print(json.dumps(found | about))


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


# --- raters at an endpoint ------------------------------------------------------------------------


def measure(*, n_turns: int, n_polls: int) -> dict[str, Any]:
    with endpoint() as url, desk.web_server(workers=2, threads=4) as web:
        campaign = open_campaign(
            sources=[registered(name, url) for name in ("long", "short")],
            n_openings=N_OPENINGS,
            n_turns=n_turns,
        )
        raters = [
            TalkingRater(web.port, campaign.pk, desk_campaigns.signed_in(f"rater {n}")[1], seed=n)
            for n in range(N_RATERS)
        ]
        return asyncio.run(talk(web, raters, n_turns=n_turns, n_polls=n_polls))


async def talk(
    web: desk.Web, raters: Sequence[TalkingRater], *, n_turns: int, n_polls: int
) -> dict[str, Any]:
    await asyncio.gather(*(rater.begin() for rater in raters))
    floor_ms = await desk.floor_ms(web, list(raters), each=n_polls // len(raters))
    poll_cpu_ms = await cost(web, raters, n=n_polls)
    with worker():
        began = time.perf_counter()
        ended = await asyncio.gather(
            *(rater.talk(n_turns=n_turns) for rater in raters), return_exceptions=True
        )
        seconds = time.perf_counter() - began
    problems = [problem for problem in ended if problem is not None]
    for problem in problems:
        print(problem)
    waits = sorted(wait for rater in raters for wait in rater.waits_s)
    return {
        "errors": len(problems),
        "lost_turns": checks.n_lost([lease for rater in raters for lease in rater.stored]),
        "double_turns": checks.n_double(),
        "over_assigned": desk.n_over_assigned(),
        "poll_cpu_ms": round(poll_cpu_ms, 2),
        "floor_ms": round(floor_ms, 2),
        "turns": sum(len(rater.stored) for rater in raters),
        "turns_per_min": round(60 * len(waits) / seconds, 1),
        "wait_p50_s": round(statistics.median(waits), 2),
        "wait_p95_s": round(waits[int(0.95 * len(waits))], 2),
        "raters": len(raters),
    }


async def cost(web: desk.Web, raters: Sequence[TalkingRater], *, n: int) -> float:
    """Processor time of the site for one of `n` polls."""

    async def ask(rater: TalkingRater) -> None:
        for _poll in range(n // len(raters)):
            assert not await rater.poll()

    await asyncio.gather(*(rater.poll() for rater in raters))
    before = web.cpu_ms() + desk.database_cpu_ms()
    await asyncio.gather(*(ask(rater) for rater in raters))
    return (web.cpu_ms() + desk.database_cpu_ms() - before) / n


# --- a model in warm child processes --------------------------------------------------------------


def measure_model(folder: Path) -> dict[str, Any]:
    """The first turn warms the children; the median of the next three is the figure."""
    person = researcher()
    models = [
        registry_services.register_model(
            name=name,
            kind="policy",
            location=str(folder),
            licence="Apache-2.0",
            by=person,
            now=timezone.now(),
        )
        for name in ("one", "other")
    ]
    campaign = open_campaign(
        sources=[source_of(model) for model in models], n_openings=4, n_turns=1
    )
    rater, _session = desk_campaigns.signed_in("rater")
    took_s = []
    with worker():
        for _opening in range(4):
            slot = claim(campaign=campaign, rater=rater, now=timezone.now())
            assert slot is not None
            assert slot.lease is not None
            began = time.perf_counter()
            conversation = turns.start(lease=slot.lease, rater=rater, now=timezone.now())
            turn = conversation.turns.get()
            while turn.state == ConversationTurn.State.WAITING:
                time.sleep(0.02)
                turn.refresh_from_db()
            took_s.append(time.perf_counter() - began)
            if turn.state != ConversationTurn.State.READY:
                raise SystemExit(turn.requests.values_list("error", flat=True))
            slots.skip(lease=slot.lease, rater=rater, reason="technical", now=timezone.now())
    return {
        "two_answers_s": round(statistics.median(took_s[1:]), 2),
        "cold_s": round(took_s[0], 2),
        "tokens_each": N_TOKENS,
        "model": folder.name,
    }


# --- the site -------------------------------------------------------------------------------------


def open_campaign(*, sources: Sequence[Source], n_openings: int, n_turns: int) -> Campaign:
    now = timezone.now()
    said = Source.objects.create(name="openings", kind=Source.Kind.IMPORT)
    prompts = Prompt.objects.bulk_create(
        Prompt(
            messages=[{"role": "user", "content": f"Tell me a long story about town {n}."}],
            messages_sha256=f"opening-{n}",
            source=said,
        )
        for n in range(n_openings)
    )
    pool, _ = Pool.objects.get_or_create(name="benchmark")
    guideline = guidelines_services.create_guideline(
        name="Talk", text="# Be curious", by=None, now=now
    )
    campaign = campaigns_services.create_campaign(
        name="Talk",
        settings=ConversationSettings(n_responses=2, overlap=OVERLAP),
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        conversation=Plan(
            [SourceShare(source) for source in sources],
            TalkSettings(min_turns=1, max_turns=n_turns, max_new_tokens=N_TOKENS),
        ),
        by=None,
        now=now,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=now)
    return campaign


def researcher() -> User:
    found = User.objects.filter(email="noor@example.org").first()
    return found or accounts_services.create_person(
        email="noor@example.org",
        name="Noor",
        roles=["researcher"],
        password="talks with models",
        by=None,
        now=timezone.now(),
    )


def registered(name: str, url: str) -> Source:
    model = endpoints.register_endpoint(
        name=name, url=url, served_name=name, licence="MIT", by=researcher(), now=timezone.now()
    )
    return source_of(model)


def source_of(model: TrainedModel) -> Source:
    assert model.source is not None
    return model.source


@contextmanager
def endpoint() -> Iterator[str]:
    port = servers.free_port()
    command = [sys.executable, "-S", str(ROOT / "benchmarks" / "talking" / "endpoint.py")]
    with desk.process([*command, str(port), str(TOKENS_PER_S)]):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def worker() -> Iterator[None]:
    options = f"-Q models -P threads -c {N_RATERS} -n models@benchmark --without-gossip"
    command = f"celery -A config worker {options} --without-mingle"
    with desk.process([sys.executable, "-m", *command.split()]):
        yield


if __name__ == "__main__":
    main()
