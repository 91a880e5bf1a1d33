"""What happens on the recorded site, stage by stage, all through its pages."""

import difflib
import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import local_site
import loop
from form_browser import FormBrowser, Page, UnexpectedPage, open_campaign, text_of
from loop import DEMO, bring_in, cut, invite, make_pool, say, train, watch
from record_demo.raters import ABOUT, CARELESS, OTHERS, PEOPLE, POOL
from simulated_raters import PASSWORD, Rater, SimulatedRater, rater

ADMIN = ("admin@demo.example", "run-the-pools")
RESEARCHER = ("researcher@demo.example", "train-the-model")
GUIDELINE = "Comparing responses"
COMPARISON = "SmolLM2 and the first model, simulated raters"
SCHEDULE, FIRST = "Best of n, simulated raters", "First model"
N_COMPARED, N_GOLDS, N_REVIEWED = 24, 6, 4
SUITES = ("Basic knowledge", "Follows instructions", "Refuses clearly harmful")
N_TOKENS, LONGEST_PROMPT, N_AT_ONCE = 48, 512, 48
# Of the adapters, so small that the package can have them. Alpha as for the usual rank of 16.
RANK, ALPHA = 2, 32
N_PRACTISED, N_CANDIDATES, N_JUDGED = 110, 6, 90
LEARNING: dict[str, Any] = {
    "max_rows": 150,
    "max_tokens": 256,
    "n_epochs": 2,
    "batch_size": 8,
    "accumulation": 1,
    "lora_rank": RANK,
    "lora_alpha": ALPHA,
}
SAMPLING: dict[str, Any] = {
    "n_responses": 2,
    "max_prompts": "",
    "max_new_tokens": N_TOKENS,
    "max_prompt_tokens": LONGEST_PROMPT,
    "batch_size": N_AT_ONCE,
}
EXPERT = rater("the admin", (1, 1, 1, 1), 0.0)
"""Decides by the guideline, without errors."""
NOTHING = "The desk offers no item"


@dataclass(frozen=True)
class Recorder:
    """Who does what on the site, in one stage."""

    site: local_site.LocalSite
    seed: int

    @cached_property
    def admin(self) -> FormBrowser:
        return self._signed_in(*ADMIN)

    @cached_property
    def researcher(self) -> FormBrowser:
        return self._signed_in(*RESEARCHER)

    def signed_in_rater(self, one: Rater) -> FormBrowser:
        return self._signed_in(one.email, PASSWORD)

    def _signed_in(self, email: str, password: str) -> FormBrowser:
        browser = FormBrowser(self.site.address, email)
        browser.sign_in(email, password)
        return browser

    def work(
        self,
        campaign: str,
        at_most: int | None = None,
        kind: type[SimulatedRater] = SimulatedRater,
        people: Sequence[Rater] = PEOPLE,
    ) -> int:
        """All raters answer until nothing is left, or until each has given this many answers."""
        workers = [
            kind(
                address=self.site.address,
                rater=one,
                campaign=campaign,
                seed=self.seed,
                at_most=at_most,
            )
            for one in people
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if troubles := [
            worker.trouble
            for worker in workers
            if worker.trouble and not worker.trouble.startswith(NOTHING)
        ]:
            raise SystemExit("A rater could not continue. " + troubles[0])
        n_submitted = sum(worker.n_submitted for worker in workers)
        say(f"  {n_submitted} answers in “{campaign}”")
        return n_submitted


def people(recorder: Recorder) -> None:
    admin = recorder.admin
    for one in PEOPLE:
        named = f"{one.name} (simulated)"
        invite(recorder.site, admin, name=named, email=one.email, role="rater")
    make_pool(admin, POOL, ABOUT, ["simulated"])
    for name in ("more_prompts.jsonl", "loop_prompts.jsonl"):
        bring_in(admin, DEMO / name)
    local_site.manage(recorder.site, "add_demo_model")


# --- demonstrations -------------------------------------------------------------------------------


class Writer(SimulatedRater):
    """Types the texts of demonstrations.jsonl, which were written for the demo."""

    written: dict[str, str] = {}

    def judge(self, page: Page) -> Page:
        form = page.form("/submit")
        (prompt, *_) = page.root.find_class("desk-prompt-last")
        # The page shows the prompt's lists and line breaks in its own way.
        (key,) = difflib.get_close_matches(text_of(prompt), self.written, n=1, cutoff=0.3)
        review = self.visitor.send(page, form, step="review", text=self.written[key])
        page = self.confirm(review)
        self.n_submitted += 1
        return page


def demonstrations(recorder: Recorder) -> None:
    admin, name = recorder.admin, "Writing, first round"
    rows = [json.loads(line) for line in (DEMO / "demonstrations.jsonl").open()]
    for row in rows:
        messages = row.get("messages") or [*row["prompt"], *row["completion"]]
        key = " ".join(messages[-2]["content"].split())
        Writer.written[key] = messages[-1]["content"]
    open_campaign(
        admin,
        name=name,
        pool=POOL,
        guideline="Writing a demonstration",
        options={"sources": ["Preferably demo"]},
        kind="demonstration",
        min_words="1",
    )
    recorder.work(name, kind=Writer)
    end(recorder, name)


def first_model(recorder: Recorder) -> None:
    researcher = recorder.researcher
    demonstrations = cut(researcher, "demonstrations", name="Demonstrations", includes_imports=None)
    train(
        researcher,
        "sft",
        name=FIRST,
        snapshot=demonstrations,
        base_model="SmolLM2",
        **LEARNING,
    )
    prompts = cut(
        researcher,
        "prompts",
        name="Prompts to compare on",
        limit=str(N_COMPARED),
        splits=["train", "validation"],
    )
    for model in ("SmolLM2", "sft-"):
        train(
            researcher,
            "sample",
            name=f"Responses of {'the first model' if model == 'sft-' else model}",
            snapshot=prompts,
            base_model=model,
            **SAMPLING,
        )
    benchmark(researcher, "SmolLM2")


def benchmark(researcher: FormBrowser, model: str) -> None:
    page = researcher.open("/runs/new/benchmark/")
    page = researcher.send(page, page.form(has="base_model"), preset="small")
    form = page.form(has="base_model")
    page = researcher.send(
        page,
        form,
        name=f"{model} on the suites",
        base_model=form.option("base_model", model),
        suites=[form.option("suites", suite) for suite in SUITES],
        max_items="8",
        max_new_tokens="40",
    )
    if "Succeeded" not in watch(researcher, page.address).text:
        raise SystemExit(f"The benchmark did not succeed: {page.text[:1000]}")


# --- a comparison campaign ------------------------------------------------------------------------


def compare(recorder: Recorder) -> None:
    admin = recorder.admin
    if not address_of(admin, COMPARISON):
        sources = [loop.source_of(recorder.site, name) for name in models(recorder)[:2]]
        open_campaign(
            admin,
            name=COMPARISON,
            pool=POOL,
            guideline=GUIDELINE,
            options={"response_sources": sources},
            kind="comparison",
            splits=["train", "validation"],
            n_responses="4",
            overlap="5",
            repeat_percent="10",
            gold_share="20",
            is_unused=None,
        )
    recorder.work(COMPARISON, at_most=7)


def compare_rest(recorder: Recorder) -> None:
    recorder.work(COMPARISON)
    end(recorder, COMPARISON)


def golds(recorder: Recorder) -> None:
    """The admin decides items on which raters agree, and makes golds of them."""
    decided = review_items(recorder.admin, COMPARISON)
    for address in decided[-N_GOLDS:]:
        decide(recorder.admin, address, promotes="on", reason="", note="Decided by the guideline.")
    page = recorder.admin.open(address_of(recorder.admin, COMPARISON) + "gold/")
    recorder.admin.send(
        page, page.form("/settings"), gold_share="25", gold_min="3", gold_feedback="on"
    )


def review(recorder: Recorder) -> None:
    """The admin closes the campaigns of the finished cycles, decides some of the items on which
    raters contradict each other, lets the first rater of the demo in, and computes the quality of
    every campaign.
    """
    admin = recorder.admin
    for name in campaigns(admin):
        if name.startswith(SCHEDULE):
            end(recorder, name)
    for address in review_items(admin, COMPARISON)[:N_REVIEWED]:
        decide(admin, address, reason="", note="")
    compute_quality(admin)
    page = admin.open(pool_address(admin))
    form = page.form("/add")
    admin.send(page, form, raters=[form.option("raters", "Robin")])


def pause_some(recorder: Recorder) -> None:
    """The admin reads the quality of the campaigns so far, and pauses who does not follow the
    guideline: the careless rater, and the two who rank by length.
    """
    admin = recorder.admin
    compute_quality(admin)
    address = pool_address(admin)
    page = admin.open(address)
    form = page.form("/remove")
    raters = [
        str(page.root.xpath(f"//tr[contains(., '{one.name}')]//input[@name='raters']/@value")[0])
        for one in (*OTHERS, CARELESS)
    ]
    paused = admin.send(page, replace(form, action=f"{address}pause"), raters=raters, ticked="1")
    if "3 raters paused" not in paused.text:
        raise SystemExit(f"The raters could not be paused: {paused.text[:800]}")


def decide(admin: FormBrowser, address: str, **answers: Any) -> None:
    page = admin.open(address)
    form = page.form(has="reason")
    prompt = text_of(page.root.xpath("//ol[@class='conversation']/li")[-1])
    cards = page.root.xpath("//section[@data-letter]")
    scores = {}
    for card in cards:
        response = text_of(card.find_class("prose")[0])
        scores[str(card.get("data-letter"))] = round(EXPERT.score(prompt, response), 2)
    order = sorted(set(scores.values()), reverse=True)
    ranks: dict[str, Any] = {
        f"rank-{letter}": str(1 + order.index(score)) for letter, score in scores.items()
    }
    reasons = list(form.options["reason"])
    answers = answers | {"reason": reasons[0]}
    page = admin.send(page, form, **ranks, **answers)
    if page.status != 200:
        raise SystemExit(f"The item could not be decided: {page.text[:800]}")


# --- the schedule ---------------------------------------------------------------------------------


def schedule(recorder: Recorder) -> None:
    researcher = recorder.researcher
    page = researcher.open("/schedules/new/best-of-n/")
    form = page.form(has="n_candidates")
    page = researcher.send(
        page,
        form,
        name=SCHEDULE,
        base_model=form.option("base_model", "SmolLM2"),
        config_sft=form.option("config_sft", FIRST),
        config_sample=form.option("config_sample", "Responses of"),
        config_benchmark=form.option("config_benchmark", "on the suites"),
        suites=[form.option("suites", suite) for suite in SUITES],
        n_prompts=str(N_PRACTISED),
        n_candidates=str(N_CANDIDATES),
        pool=form.option("pool", POOL),
        guideline=form.option("guideline", GUIDELINE),
        n_responses="4",
        overlap="3",
        n_judged=str(N_JUDGED),
        n_taught="0",
        keeps_earlier="on",
        n_looks="2",
        max_kl="",
        trigger="hand",
        skips_nothing_new=None,
    )
    if not re.search(r"/schedules/\d+/$", page.address):
        raise SystemExit(f"The schedule could not be created: {page.text[:1500]}")


def fire(recorder: Recorder) -> None:
    """Starts a chain, and waits until its raters are asked."""
    researcher = recorder.researcher
    page = researcher.open(schedule_address(researcher))
    page = researcher.send(page, page.form("/fire"))
    if "/chains/" not in page.address:
        raise SystemExit(f"The chain did not start: {page.text[:800]}")
    wait_for_raters(recorder)


def rank_some(recorder: Recorder) -> None:
    recorder.work(SCHEDULE, at_most=20)


def rank_rest(recorder: Recorder) -> None:
    """The raters finish, the chain goes on, until its gate has votes to ask for."""
    recorder.work(SCHEDULE)
    wait_for_raters(recorder)


def judge(recorder: Recorder) -> None:
    """Raters answer what the gate asks for, until it has decided."""
    while wait_for_raters(recorder):
        recorder.work(SCHEDULE)
    address = chain_address(recorder.researcher)
    page = recorder.researcher.open(address)
    say("  " + text_of(page.root.xpath("//main")[0])[:900])


def wait_for_raters(recorder: Recorder) -> bool:
    """False if the chain has ended meanwhile."""
    raters = [recorder.signed_in_rater(one) for one in PEOPLE[:2]]
    address = chain_address(recorder.researcher)
    while True:
        page = recorder.researcher.open(address)
        if not page.root.xpath("//button[@id='stop']"):
            return False
        if page.root.xpath("//button[@id='resume']"):
            raise SystemExit(f"The chain has failed: {page.text[:1500]}")
        if any(has_work(browser.open("/desk/")) for browser in raters):
            return True
        time.sleep(3)


def has_work(desk: Page) -> bool:
    """Whether a campaign can be started, or what was begun can be continued."""
    return bool(desk.root.xpath("//li[@class='desk-open']//*[@data-kind='primary']"))


# --- addresses ------------------------------------------------------------------------------------


def links(page: Page, pattern: str) -> list[tuple[str, str]]:
    """(address, words) of the links whose address matches."""
    return [
        (str(link.get("href")), text_of(link))
        for link in page.root.xpath("//main//a[@href]")
        if re.search(pattern, str(link.get("href")))
    ]


def address_of(admin: FormBrowser, campaign: str) -> str:
    """ "" if there is no such campaign."""
    found = links(admin.open("/campaigns/"), r"^/campaigns/\d+/$")
    return next((address for address, words in found if words == campaign), "")


def campaigns(admin: FormBrowser) -> list[str]:
    return [words for _address, words in links(admin.open("/campaigns/"), r"^/campaigns/\d+/$")]


def review_items(admin: FormBrowser, campaign: str) -> list[str]:
    page = admin.open(address_of(admin, campaign) + "review/")
    found = links(page, r"/campaigns/\d+/review/\d+/")
    return list(dict.fromkeys(address for address, _words in found))


def pool_address(admin: FormBrowser) -> str:
    found = links(admin.open("/pools/"), r"^/pools/\d+/$")
    return next(address for address, words in found if POOL in words)


def schedule_address(researcher: FormBrowser) -> str:
    found = links(researcher.open("/schedules/"), r"^/schedules/\d+/$")
    return next(address for address, words in found if words == SCHEDULE)


def chain_address(researcher: FormBrowser) -> str:
    """Of the newest chain."""
    found = links(researcher.open(schedule_address(researcher)), r"^/chains/\d+/$")
    newest = max(int(address.split("/")[2]) for address, _words in found)
    return f"/chains/{newest}/"


def models(recorder: Recorder) -> list[str]:
    return [str(found["name"]) for found in loop.figures(recorder.site)["models"]]


def end(recorder: Recorder, campaign: str) -> None:
    """The admin closes a finished campaign."""
    page = recorder.admin.open(address_of(recorder.admin, campaign) + "close")
    recorder.admin.send(page, next(form for form in page.forms if form.is_post and not form.action))


def compute_quality(admin: FormBrowser) -> None:
    """Of every campaign whose answers can be compared."""
    for name in campaigns(admin):
        with suppress(UnexpectedPage):  # others have no page of agreement
            page = admin.open(address_of(admin, name) + "agreement/")
            for form in page.forms:
                if form.action.endswith("/quality"):
                    admin.send(page, form)
