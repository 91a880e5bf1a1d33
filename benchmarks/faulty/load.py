"""The load while things break: short runs, raters who write, and a person who retries runs."""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx2
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from form_browser import FormBrowser, Page, UnexpectedPage

from accounts.models import User
from benchmarks.faulty.gpu_simulator import GpuSimulator
from benchmarks.faulty.scale import INTERVAL, Scale
from benchmarks.faulty.waiting import PATIENCE_S, asked
from labeling.campaigns import services as campaigns_services
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Judgment, Prompt, Source
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from training.models import Run, Snapshot, TrainedModel
from training.processes import doorbell, run_dir
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import freeze
from training.storage import artifacts

PASSWORD = "everything breaks, nothing is lost"
DISK_FULL = "disk of the node is full"


class Load:
    """Keeps ten runs in progress and the raters working, until `is_over`."""

    def __init__(self, rack: GpuSimulator, scale: Scale) -> None:
        self.scale = scale
        self.is_over = threading.Event()
        self.n_retried = 0
        self.noor = accounts_services.create_person(
            email="noor@example.org",
            name="Noor",
            roles=["researcher"],
            password=PASSWORD,
            by=None,
            now=timezone.now(),
        )
        self.snapshot = cut(scale, self.noor)
        self.base = register(rack.home / "base", self.noor)
        campaign = open_campaign(scale)
        address = f"http://127.0.0.1:{rack.web_port}"
        self.raters = [
            Writer(address, number, campaign.pk, self.is_over) for number in range(scale.n_raters)
        ]

    def begin(self) -> None:
        threading.Thread(target=self._stay_on_duty, daemon=True).start()
        for rater in self.raters:
            rater.start()
        self.refill()

    def refill(self) -> None:
        while (
            asked(lambda: Run.objects.exclude(state=Run.State.FINISHED).count())
            < self.scale.n_in_flight
        ):
            asked(self._queue)

    def _queue(self) -> None:
        run_queue.queue_run(
            kind="sft",
            name="short",
            config={"checkpoint_every": INTERVAL},
            snapshot=self.snapshot,
            base_model=self.base,
            by=self.noor,
            now=timezone.now(),
        )

    def _stay_on_duty(self) -> None:
        """Retries runs that failed because the disk was full."""
        while not self.is_over.wait(1):
            with contextlib.suppress(OperationalError, InterfaceError):
                if self.scale.is_hurried:
                    hurry()
                for run in Run.objects.filter(
                    outcome=Run.Outcome.FAILED, error__contains=DISK_FULL
                ):
                    with contextlib.suppress(runs_services.UnableToRetry):
                        runs_services.retry_run(run=run, by=self.noor, now=timezone.now())
                        self.n_retried += 1
            connection.close()

    def wait_for_the_end(self) -> list[str]:
        """Waits until every run and rater has ended. Returns those that did not."""
        to_retry = Run.objects.filter(outcome=Run.Outcome.FAILED, error__contains=DISK_FULL)
        unfinished = Run.objects.exclude(state=Run.State.FINISHED) | to_retry
        deadline = time.monotonic() + self.scale.end_s
        while asked(unfinished.exists) and time.monotonic() < deadline:
            time.sleep(0.5)
        hung = [
            f"run {run.pk} {run.state}"
            for run in asked(lambda: list(Run.objects.exclude(state=Run.State.FINISHED)))
        ]
        self.is_over.set()
        for rater in self.raters:
            rater.join(timeout=PATIENCE_S)
            if rater.is_alive() or rater.trouble:
                hung.append(f"{rater.name}: {rater.trouble}")
        return hung


def hurry() -> None:
    """Does what beat starts every fifteen seconds."""
    runs_services.reap_runs(now=timezone.now())
    if not doorbell.n_waiting():
        for pk in Run.objects.filter(state=Run.State.QUEUED).values_list("pk", flat=True):
            doorbell.ring(pk)


class Writer(threading.Thread):
    """A rater who writes demonstrations and retries requests without a response."""

    def __init__(
        self, address: str, number: int, campaign_id: int, is_over: threading.Event
    ) -> None:
        super().__init__(name=f"rater {number}", daemon=True)
        self.number, self.campaign_id, self.is_over = number, campaign_id, is_over
        self.visitor = FormBrowser(address, self.name)
        self.visitor.client.timeout = httpx2.Timeout(20)
        self.stored: dict[str, str] = {}
        """What the site said it has: text by lease."""
        self.trouble = ""

    def run(self) -> None:
        try:
            self.insist(lambda: self.visitor.sign_in(f"writer{self.number}@example.org", PASSWORD))
            while not self.is_over.wait(0.3):
                self.write_one()
        except UnexpectedPage as trouble:
            self.trouble = str(trouble)

    def write_one(self) -> None:
        held = self.insist(lambda: self.visitor.open(f"/desk/{self.campaign_id}/next"))
        if "/item/" not in held.address:
            held = self.insist(lambda: self.visitor.send(held, held.form("/next")))
        if "/item/" not in held.address:
            return
        lease = held.address.partition("/item/")[2].partition("/")[0]
        text = f"An answer of its own, {uuid.uuid4()}, written to be found again word for word."
        review = self.insist(
            lambda: self.visitor.send(held, held.form("/submit"), step="review", text=text)
        )
        page = self.insist(lambda: self.visitor.send(review, review.form("/submit"), step="submit"))
        if lease not in page.address or ("Saved" in page.text and "You submitted" in page.text):
            self.stored[lease] = text

    def insist(self, call: Callable[[], Page]) -> Page:
        """Retries for minutes, like a person whose page does not load."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except (httpx2.HTTPError, UnexpectedPage) as problem:
                if time.monotonic() > deadline:
                    raise UnexpectedPage(f"nothing for {PATIENCE_S} s: {problem}") from problem
                time.sleep(0.5)

    def n_lost(self) -> int:
        there = {
            str(lease): text
            for lease, text in Judgment.objects.filter(lease__in=self.stored).values_list(
                "lease", "demonstration__text"
            )
        }
        lost = [lease for lease, text in self.stored.items() if there.get(lease) != text]
        for lease in lost:
            print(f"{self.name}: {lease} is {there.get(lease)!r} and was {self.stored[lease]!r}")
        return len(lost)


def open_campaign(scale: Scale) -> Campaign:
    now = timezone.now()
    pool = pools_services.create_pool(name="Day shift", by=None, now=now)
    writers = [
        accounts_services.create_person(
            email=f"writer{number}@example.org",
            name=f"Writer {number}",
            roles=["rater"],
            password=PASSWORD,
            by=None,
            now=now,
        )
        for number in range(scale.n_raters)
    ]
    pools_services.add_raters(
        pool=pool, raters=[person.rater for person in writers], by=None, now=now
    )
    source = Source.objects.create(name="questions", kind=Source.Kind.IMPORT)
    prompts = Prompt.objects.bulk_create(
        Prompt(
            messages=[{"role": "user", "content": f"What is {n}?"}],
            messages_sha256=f"faults-{n}",
            source=source,
        )
        for n in range(scale.n_items)
    )
    guideline = guidelines_services.create_guideline(
        name="Answer", text="Answer.", by=None, now=now
    )
    campaign = campaigns_services.create_campaign(
        name="Write",
        kind="demonstration",
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        overlap=2,
        by=None,
        now=now,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=now)
    return campaign


def cut(scale: Scale, by: User) -> Snapshot:
    """A snapshot that brings the fake trainer's script to every node."""
    folder = Path(settings.SNAPSHOTS_DIR) / "script"
    folder.mkdir(parents=True)
    for split in run_dir.SPLITS:
        (folder / f"{split}.jsonl").write_text("")
    script = {"n_steps": scale.n_steps, "pause_s": scale.pause_s, "checkpoint_every": INTERVAL}
    (folder / "script.json").write_text(json.dumps(script))
    artifacts.store_snapshot(folder)
    return Snapshot.objects.create(
        name="script",
        kind="demonstrations",
        folder="script",
        n_rows=1,
        fingerprint=freeze.fingerprint(folder),
        created_by=by,
    )


def register(folder: Path, by: User) -> TrainedModel:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return registry_services.register_model(
        name="base", kind="policy", location=str(folder), licence="", by=by, now=timezone.now()
    )
