"""Does an unattended schedule improve its model, and does its gate stop a bad one?

usage: python scripts/run_with_services.py --durable python benchmarks/unattended.py [--quick]

A whole site on PostgreSQL: web server, workers and beat. A first schedule fine-tunes a model on
demonstrations and asks raters about its responses. A second one then runs the whole cycle five
times, whenever enough new answers have come in: reward model, second reward model, PPO, responses
of the new and the current model, blind campaign, gate. Nobody touches the site. Six simulated
raters work at its desk over HTTP; they like to be addressed (you, your; counted up to six times),
and one ranking in ten is an error.

Before the second cycle, all rankings on training and validation prompts are turned upside down, and
put right once its snapshot is frozen. Its reward models are wrong, PPO does what they say, and only
the gate is left to notice.

--quick: a model of two layers, made here, in a world of a few words; without it SmolLM2-135M and
real prompts. The last line is JSON, also in benchmarks/results/unattended.json:

- `cycles`: cycles that ended with a verdict. `bad_promoted`: promoted models of wrong labels.
- `rises`: promoted models that win more against the model that the schedule began with than the
  promoted one before; `win_rates` are these.
- `final_win_rate`: the current model's responses at the end against those of the model that the
  schedule began with, on test prompts, by the raters' rule without errors; a tie is half a win.
- `kl_to_first`: nats a response between the two, as the last promoted run measured it.
"""

import argparse
import itertools
import json
import os
import platform
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import django  # noqa: E402
import local_site  # noqa: E402
import services as servers  # noqa: E402

if "DATABASE_URL" not in os.environ:
    raise SystemExit("Start it with: python scripts/run_with_services.py --durable python …")
SITE = local_site.LocalSite(
    home=Path(tempfile.mkdtemp(prefix="preferably-unattended-")),
    port=servers.free_port(),
    database=os.environ["DATABASE_URL"],
    broker_port=int(os.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0]),
)
# Nothing else of the site computes while a run does. The tiny model is too small to share out.
N_THREADS = 1 if "--quick" in sys.argv else os.cpu_count() or 1
os.environ.setdefault("PREFERABLY_TRAINER_THREADS", str(N_THREADS))
os.environ |= SITE.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from form_browser import UnexpectedPage  # noqa: E402
from simulated_raters import PASSWORD, Rater, SimulatedRater  # noqa: E402

from accounts.models import User  # noqa: E402
from benchmarks import hidden_preference  # noqa: E402
from benchmarks.fixtures import command_line, small_world  # noqa: E402
from benchmarks.fixtures.cycle_figures import chains, liking, link_of, measured  # noqa: E402
from labeling.data.imports import services as imports_services  # noqa: E402
from labeling.guidelines import services as guidelines_services  # noqa: E402
from labeling.models import Comparison, Import, Prompt, RankedResponse, Slot  # noqa: E402
from labeling.people.accounts import services as accounts_services  # noqa: E402
from labeling.people.pools import services as pools_services  # noqa: E402
from training.configs import kinds  # noqa: E402
from training.configs.ppo import PpoConfig  # noqa: E402
from training.management import demo  # noqa: E402
from training.models import Chain, Link, Schedule, TrainedModel  # noqa: E402
from training.registry import services as registry_services  # noqa: E402
from training.schedules import services as schedules_services  # noqa: E402
from training.schedules.plans import chain_plans  # noqa: E402
from training.schedules.plans.chain_plans import Plan  # noqa: E402
from training.schedules.services import Terms  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "unattended.json"
N_CYCLES, BAD = 5, 2
"""cycles, and the one on wrong labels"""
N_RATERS, ERROR_RATE = 6, 0.1
LICENCE = "Apache-2.0"
POLL_S, SAY_EVERY_S = 0.3, 20.0
PATIENCE_S = 4 * 3600


@dataclass(frozen=True)
class Scale:
    """How large the world is. Before the cycles, raters compare `n_first_responses` of the
    fine-tuned model to each of `n_first_prompts`.
    """

    n_judged: int
    n_taught: int
    n_first_prompts: int
    n_first_responses: int
    configs: dict[str, dict[str, Any]]
    n_prompts: int = 0
    n_practice: int | None = 200
    new_answers: int = 60


def tiny() -> Scale:
    presets: dict[str, Any] = {kind: of["balanced"] for kind, of in kinds.PRESETS.items()}
    short: dict[str, Any] = {"max_new_tokens": 32, "max_prompt_tokens": 96}
    trained: dict[str, Any] = {"method": "full", "dtype": "float32", "checkpoint_every": 0}
    rows = trained | {"max_tokens": 128, "accumulation": 1}
    chosen = {
        "sft": replace(
            presets["sft"],
            n_epochs=4,
            learning_rate=4e-3,
            batch_size=16,
            **rows,
        ),
        "reward": replace(presets["reward"], n_epochs=6, learning_rate=2e-3, **rows),
        "sample": replace(presets["sample"], n_responses=2, top_p=1.0, **short),
        "ppo": replace(
            presets["ppo"],
            n_episodes=480,
            batch_size=32,
            learning_rate=6e-5,
            kl_coef=0.1,
            value_learning_rate=1e-3,
            warmup_steps=2,
            evaluate_every=3,
            rollout_dtype="float32",
            **trained,
            **short,
        ),
    }
    found = {kind: kinds.as_json(config) for kind, config in chosen.items()}
    return Scale(100, 50, 100, 6, found, n_prompts=1400)


def real() -> Scale:
    """SmolLM2-135M, with the settings of hidden_preference.py where it has them."""
    short: dict[str, Any] = {
        "max_new_tokens": hidden_preference.LONGEST_RESPONSE,
        "max_prompt_tokens": 96,
    }
    ppo: dict[str, Any] = hidden_preference.SHORT_PPO | {"n_episodes": 256, "kl_coef": 0.05}
    small: dict[str, Any] = {kind: of["small"] for kind, of in kinds.PRESETS.items()}
    chosen = {
        "sft": small["sft"],
        "reward": replace(small["reward"], **hidden_preference.REWARD),
        "sample": replace(small["sample"], n_responses=2, top_p=1.0, batch_size=72, **short),
        "ppo": replace(PpoConfig.presets()["balanced"], **ppo),
    }
    found = {kind: kinds.as_json(config) for kind, config in chosen.items()}
    return Scale(60, 120, 160, 6, found, new_answers=120)


# --- people and data ------------------------------------------------------------------------------


class StandingRater(SimulatedRater):
    """Answers whatever the desk offers, until `is_over`."""

    def __init__(self, number: int, is_over: threading.Event) -> None:
        rule = Rater(f"Rater{number}", "to be addressed", _score, ERROR_RATE)
        super().__init__(address=SITE.address, rater=rule, campaign="", seed=number)
        self.is_over = is_over

    def run(self) -> None:
        self.visitor.sign_in(self.rater.email, PASSWORD)
        while not self.is_over.wait(2):
            try:
                page = self.take_first(self.visitor.open("/desk/"))
                while page.root.xpath("//form[@id='answer']"):
                    page = self.judge(page)
            except UnexpectedPage as trouble:
                if "offers no item" not in str(trouble):
                    self.trouble = str(trouble)
                    say(f"{self.name}: {trouble}")


def _score(prompt: str, response: str) -> float:
    return float(liking(response))


def person(name: str, role: str) -> User:
    return accounts_services.create_person(
        email=f"{name.lower()}@loop.example",
        name=name,
        roles=[role],
        password=PASSWORD,
        by=None,
        now=timezone.now(),
    )


def bring_in(name: str, rows: list[dict[str, Any]]) -> None:
    path = SITE.home / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    batch = imports_services.start_import(
        path=path,
        file_name=path.name,
        file_format="hf",
        source_name=name,
        licence=LICENCE,
        with_judgments=True,
        is_rung=False,
        by=None,
        now=timezone.now(),
    )
    imports_services.IMPORTS.run(batch.pk, clock=timezone.now)
    batch.refresh_from_db()
    if batch.state != Import.State.PUBLISHED:
        raise SystemExit(f"{name} was not imported: {batch.state} {batch.counts}")


def small_site(scale: Scale, draw: random.Random) -> TrainedModel:
    asked = small_world.prompts(scale.n_prompts, draw)
    bring_in("demonstrations", small_world.answered(asked[: len(asked) // 2], draw))
    bring_in("prompts", [{"messages": prompt} for prompt in asked[len(asked) // 2 :]])
    folder = small_world.build_model(SITE.home / "small-model")
    return registry_services.register_model(
        name="Small",
        kind=TrainedModel.Kind.POLICY,
        location=str(folder),
        licence=LICENCE,
        by=None,
        now=timezone.now(),
    )


def real_site(options: argparse.Namespace, draw: random.Random) -> TrainedModel:
    local_site.manage(SITE, "add_demo_model")
    model = TrainedModel.objects.get(name=demo.MODEL_NAME)
    options.model = Path(model.location)
    prompts = hidden_preference.read_prompts(options, draw)
    lines = (demo.FOLDER / "demonstrations.jsonl").read_text().splitlines()
    bring_in("demonstrations", [json.loads(line) for line in lines if line])
    bring_in("prompts", [{"messages": row["prompt"]} for row in prompts])
    return model


# --- the schedules --------------------------------------------------------------------------------


def plan(scale: Scale, template: str, model: TrainedModel, **changes: Any) -> Plan:
    """Without suites, so without the runs that benchmark a model on them."""
    run_kinds = chain_plans.TEMPLATES[template].run_kinds
    return Plan(
        template=template,
        base_model=model.pk,
        configs={kind: scale.configs[kind] for kind in run_kinds if kind in scale.configs},
        n_prompts=scale.n_practice,
        n_judged=scale.n_judged,
        n_taught=scale.n_taught,
        overlap=1,
        max_uses=None,
        **changes,
    )


def carry_out(
    options: argparse.Namespace, progress: "Progress", is_over: threading.Event
) -> dict[str, Any]:
    draw, scale = random.Random(options.seed), tiny() if options.quick else real()
    researcher, admin = person("Researcher", "researcher"), person("Admin", "admin")
    pool = pools_services.create_pool(name="Simulated raters", by=admin, now=timezone.now())
    names = [f"Rater{number}" for number in range(N_RATERS)]
    raters = [person(name, "rater").rater for name in names]
    pools_services.add_raters(pool=pool, raters=raters, by=admin, now=timezone.now())
    guideline = guidelines_services.create_guideline(
        name="Comparing", text="Which response do you like better?", by=admin, now=timezone.now()
    )
    base = small_site(scale, draw) if options.quick else real_site(options, draw)
    for number in range(N_RATERS):
        StandingRater(number, is_over).start()
    campaign = {"pool": pool.pk, "guideline": guideline.pk}

    first = _first_plan(scale, plan(scale, "fine-tune-compare", base, **campaign))
    chain = schedules_services.fire_now(
        schedule=_schedule("Begin", first, "hand", 0, researcher), by=researcher, now=timezone.now()
    )
    progress.of("Begin")
    until(lambda: _state(chain) == Chain.State.FINISHED, progress)
    fine_tuned = TrainedModel.objects.get(run__link__chain=chain, run__link__step="sft")
    weekly = plan(scale, "weekly", fine_tuned, n_responses=4, **campaign)
    progress.expects(len(weekly.shape.steps) * N_CYCLES)
    schedule = _schedule("Cycles", weekly, "data", scale.new_answers, researcher)
    say(f"The schedule begins with “{fine_tuned}”. From here, nobody touches it.")
    for number in range(1, N_CYCLES + 1):
        watch_cycle(schedule, number, progress)
    return measured(schedule, fine_tuned, bad=BAD)


def _first_plan(scale: Scale, chosen: Plan) -> Plan:
    """Nobody has to be judged yet, and the first reward model needs comparisons."""
    n = scale.n_first_responses
    sampling = {"sample": chosen.configs["sample"] | {"n_responses": n}}
    return replace(
        chosen,
        n_judged=1,
        n_taught=scale.n_first_prompts,
        n_responses=n,
        configs=chosen.configs | sampling,
    )


def _schedule(name: str, chosen: Plan, trigger: str, n_new: int, by: User) -> Schedule:
    terms = Terms(trigger=trigger, time_zone="UTC", n_new=n_new)
    return schedules_services.create_schedule(
        name=name, plan=chosen, terms=terms, by=by, now=timezone.now()
    )


def watch_cycle(schedule: Schedule, number: int, progress: "Progress") -> None:
    """Waits for one cycle, and turns the labels over for the bad one, which a tick may start as
    soon as raters have given the last answer before it.
    """
    until(lambda: len(chains(schedule)) >= number, progress)
    chain = chains(schedule)[number - 1]
    progress.of(f"cycle {number}")
    if number == BAD:
        until(lambda: link_of(chain, "comparisons").state == Link.State.DONE, progress)
        say(
            f"The labels are put right again ({turn_over()} rankings); its snapshot has them wrong."
        )
    until(lambda: _is_answered(chain), progress)
    if number + 1 == BAD:
        say(f"{turn_over()} rankings are turned upside down.")
    until(lambda: _state(chain) == Chain.State.FINISHED, progress)
    say(f"Cycle {number}: {link_of(chain, 'gate').verdict['sentence']}")


def turn_over() -> int:
    """Reverses every ranking on prompts that train or measure a reward model."""
    wanted = Comparison.objects.filter(
        judgment__prompt__split__in=(Prompt.Split.TRAIN, Prompt.Split.VALIDATION)
    )
    ranked = RankedResponse.objects.filter(comparison__in=wanted, rank__isnull=False)
    by_ranking = itertools.groupby(ranked.order_by("comparison"), key=lambda one: one.comparison_id)
    turned = []
    for _comparison, given in by_ranking:
        rows = list(given)
        lowest = max(row.rank or 0 for row in rows)
        for row in rows:
            row.rank = lowest + 1 - (row.rank or 0)
        turned += rows
    RankedResponse.objects.bulk_update(turned, ["rank"])
    return wanted.count()


def _state(chain: Chain) -> str:
    chain.refresh_from_db()
    if chain.state in (Chain.State.FAILED, Chain.State.STOPPED, Chain.State.APPROVAL):
        gate = chain.links.filter(step="gate").first()
        raise SystemExit(f"{chain}: {chain.state}. {chain.error} {gate.verdict if gate else ''}")
    return str(chain.state)


def _is_answered(chain: Chain) -> bool:
    _state(chain)
    campaign = link_of(chain, "campaign").campaign
    owed = Slot.objects.filter(campaign=campaign).exclude(state=Slot.State.SUBMITTED)
    return campaign is not None and not owed.exists()


# --- progress -------------------------------------------------------------------------------------


STARTED = time.monotonic()


def say(line: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.0f} s] {line}", file=sys.stderr, flush=True)


class Progress:
    """Says now and then which step is going on, and when it may all be over."""

    def __init__(self, n_steps: int) -> None:
        self.part, self.said_at, self.n_steps = "", 0.0, n_steps

    def of(self, part: str) -> None:
        self.part = part

    def expects(self, n_more: int) -> None:
        self.n_steps = Link.objects.count() + n_more

    def tell(self) -> None:
        if time.monotonic() - self.said_at < SAY_EVERY_S:
            return
        self.said_at = time.monotonic()
        n_done = Link.objects.filter(state=Link.State.DONE).count()
        link = Link.objects.filter(state=Link.State.WORKING).select_related("run").first()
        step = f"{link.run.step} of {link.run.n_steps}" if link and link.run else ""
        spent = time.monotonic() - STARTED
        left = spent / n_done * (self.n_steps - n_done) / 60 if n_done else None
        end = "" if left is None else f"; about {left:.0f} minutes left"
        say(f"{self.part}: {link.step if link else 'waits for the next tick'} {step}{end}")


def until(claim: Callable[[], bool], progress: Progress) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        progress.tell()
        if time.monotonic() > deadline:
            raise SystemExit(f"{progress.part} did not get on within {PATIENCE_S} s.")
        time.sleep(POLL_S)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if local_site.ON_LINUX else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def main() -> None:
    options, is_over = arguments(), threading.Event()
    n_steps = len(chain_plans.TEMPLATES["fine-tune-compare"].steps)
    n_steps += N_CYCLES * len(chain_plans.TEMPLATES["weekly"].steps)
    with local_site.process_tree(SITE):
        local_site.manage(SITE, "migrate", "--verbosity", "0")
        local_site.start_site(SITE)
        say(f"The site is up: {SITE.address}. If this fails, its logs stay below {SITE.home}.")
        try:
            found = carry_out(options, Progress(n_steps), is_over)
        finally:
            is_over.set()
            connection.close()
    found |= {
        "quick": options.quick,
        "model": "two layers, 64 wide, made here" if options.quick else demo.MODEL_NAME,
        "processor": processor(),
        "seconds": round(time.monotonic() - STARTED),
        "commit": command_line.commit(),
    }
    if options.writes:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    shutil.rmtree(SITE.home, ignore_errors=True)
    print(json.dumps(found))


def arguments() -> argparse.Namespace:
    parser = command_line.parser(__doc__, quick="a tiny model in a world of few words")
    parser.add_argument("--seed", type=int, default=1)
    command_line.add_data(parser)
    parser.add_argument("--no-results", dest="writes", action="store_false", help="write no file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
