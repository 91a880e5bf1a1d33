"""The doors through which foreign bytes come in, in a process of their own: it reads the names of
cases from its input and writes what became of each, a line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.signals import request_started
from django.test import Client
from django.test.utils import setup_test_environment
from django.utils import timezone

from accounts.models import User
from accounts.refusals import Refusal
from labeling.data.hub import jobs as hub_jobs
from labeling.data.hub import places
from labeling.data.imports import services as imports_services
from labeling.models import Campaign, HubDownload, Import, Pool
from tests.labeling.importers.hostile.memory import reset_peak_mb, status_mb
from training.models import TrainedModel
from training.processes import completions
from training.processes.completions import CompletionFailed, Sampling, Server
from training.runs.estimates import costs

PAGE_S, WORKER_S = 60.0, 300.0
"""By the clock, on a machine that does other things as well. The limits are in processor time."""
ABOUT = {"source_name": "stranger", "licence": "CC0-1.0", "file_format": ""}


class Outcome(TypedDict):
    sentence: str
    took_s: float
    grown_mb: int
    ended: str
    """the exception, if there was one"""


class Doors:
    """`folder` has the files, `server` answers as no hub and no endpoint should."""

    def __init__(self, *, folder: Path, hub: str, server: str, admin: User, token: str) -> None:
        self.folder, self.hub, self.server, self.admin = folder, hub, server, admin
        self.client = Client(raise_request_exception=True)
        self.client.force_login(admin)
        self.api = Client(headers={"Authorization": f"Bearer {token}"})
        self.by_name: dict[str, Callable[[str], str]] = {
            "page": self._page,
            "answers page": self._answers_page,
            "API": self._api,
            "hub": self._hub,
            "command": self._command,
            "worker": self._worker,
            "suites page": self._suites_page,
            "golds page": self._golds_page,
            "invitations page": self._invitations_page,
            "hub's answers": self._hubs_answers,
            "models page": self._models_page,
            "endpoint": self._endpoint,
        }

    def _upload(self, name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile("data.jsonl", (self.folder / name).read_bytes())

    def _page(self, name: str) -> str:
        fields = ABOUT | {"file": self._upload(name), "preview": "1"}
        answer = self.client.post("/prompts/imports/new/", fields)
        preview = answer.context.get("preview")
        return _last(preview.problems if preview else [], answer.context["form"])

    def _answers_page(self, name: str) -> str:
        fields = ABOUT | {"file": self._upload(name), "preview": "1", "campaign": "Votes"}
        answer = self.client.post("/campaigns/import/", fields)
        preview = answer.context.get("preview")
        if preview is None:
            return _last([], answer.context["form"])
        return str(preview.missing) or _last(preview.problems, answer.context["form"])

    def _api(self, name: str) -> str:
        answer = self.api.post("/api/v1/imports/preview", {"file": self._upload(name)})
        problems = answer.json().get("problems", [])
        return str(problems[-1]["sentence"] if problems else answer.json().get("errors", ""))

    def _hub(self, name: str) -> str:
        settings.HUB_URL = self.hub
        return self._download(f"stranger/{repository_name(name)}")

    def _hubs_answers(self, name: str) -> str:
        settings.HUB_URL = f"{self.server}/{quote(name)}"
        return self._download("stranger/data")

    def _download(self, repository: str) -> str:
        options = {"source_name": "stranger", "licence": "CC0-1.0"}
        download = hub_jobs.request_download(
            repository=repository, options=options, by=self.admin, now=timezone.now()
        )
        hub_jobs.DOWNLOADS.run(download.pk, clock=timezone.now)
        download = HubDownload.objects.get(pk=download.pk)
        return download.error or _imported(download.import_batch)

    def _command(self, name: str) -> str:
        said = StringIO()
        path = str(self.folder / name)
        try:
            call_command(
                "import_prompts",
                path,
                source="stranger",
                licence="CC0-1.0",
                stdout=said,
                stderr=said,
            )
        except CommandError as refusal:
            return str(refusal)
        return said.getvalue()[-500:]

    def _worker(self, name: str) -> str:
        batch = imports_services.start_upload(
            upload=self._upload(name),
            file_format=None,
            source_name="stranger",
            licence="CC0-1.0",
            by=self.admin,
            now=timezone.now(),
        )
        return _imported(batch)

    def _suites_page(self, name: str) -> str:
        file = SimpleUploadedFile("suite.zip", (self.folder / name).read_bytes())
        answer = self.client.post("/suites/new/", {"upload": [file]})
        reading = answer.context.get("reading")
        return _last(reading.problems if reading else [], answer.context["form"])

    def _golds_page(self, name: str) -> str:
        campaign = Campaign.objects.earliest("pk")
        file = {"file": self._upload(name)}
        answer = self.client.post(f"/campaigns/{campaign.pk}/gold/import", file)
        return _last(answer.context.get("problems") or [], answer.context.get("file_form"))

    def _invitations_page(self, name: str) -> str:
        pool = Pool.objects.first()
        assert pool is not None
        file = {"file": self._upload(name)}
        answer = self.client.post(f"/pools/{pool.pk}/invitations/", file)
        return _last([], answer.context["form"])

    def _models_page(self, name: str) -> str:
        """And, of a model that is registered, the form of a run."""
        about = {"name": name, "kind": TrainedModel.Kind.POLICY, "licence": "MIT"}
        answer = self.client.post("/models/new/", about | {"location": str(self.folder / "model")})
        if answer.status_code != 302:
            return _last([], answer.context["form"])
        model = TrainedModel.objects.get(name=name)
        return f"Registered; its shape is {costs.shape_of(model=model)}."

    def _endpoint(self, name: str) -> str:
        server = Server(f"{self.server}/{quote(name)}", "model")
        sampling = Sampling(temperature=1.0, top_p=1.0, max_new_tokens=8, seed=None)
        try:
            with completions.client() as http:
                messages = [{"role": "user", "content": "Why?"}]
                piece = completions.complete(http, server, messages, sampling)
        except CompletionFailed as refusal:
            return str(refusal)
        return f"The endpoint answered “{piece.text}”."


def _last(problems: Any, form: Any) -> str:
    errors = [str(error) for listed in (form.errors.values() if form else []) for error in listed]
    return str(([*map(str, problems), *errors] or [""])[-1])


def _imported(batch: Import | None) -> str:
    if batch is None:
        return ""
    imports_services.IMPORTS.run(batch.pk, clock=timezone.now)
    batch.refresh_from_db()
    problems = [problem["sentence"] for problem in batch.problems]
    published = f"{batch.get_state_display()}: {batch.counts.get('prompts', 0)} prompts"
    return str(batch.error or (problems or [published])[-1])


def repository_name(name: str) -> str:
    """A name that a repository may have."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def answer_cases(doors: Doors, lines: Iterator[str]) -> None:
    setup_test_environment()  # answers of the test client then have their context
    places.ANSWER_TIMEOUT_S = completions.ANSWER_TIMEOUT_S = 3
    places.TIMEOUT_S = places.RATE_S = 3
    before_mb = 0

    def begin(**_signal: object) -> None:
        nonlocal before_mb
        before_mb = reset_peak_mb()

    # The client is in this process too: its copies of the body are there before the request is.
    request_started.connect(begin)
    for line in lines:
        door, name = json.loads(line)
        started = time.monotonic()
        begin()
        outcome = Outcome(sentence="", took_s=0, grown_mb=0, ended="")
        try:
            outcome["sentence"] = doors.by_name[door](name)
        except Refusal as refusal:
            outcome["sentence"] = refusal.sentence
        except Exception as error:  # noqa: BLE001  # any exception is a finding
            outcome["ended"] = f"{type(error).__name__}: {error}"[:200]
        outcome["took_s"] = round(time.monotonic() - started, 2)
        outcome["grown_mb"] = status_mb("VmHWM") - before_mb
        sys.stdout.write(json.dumps(outcome) + "\n")
        sys.stdout.flush()
