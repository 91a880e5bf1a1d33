"""Samples of runs to a prompt with words of somebody who has withdrawn."""

import io
import zipfile
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.access import prompts_written_by
from labeling.models import Demonstration, Rater
from labeling.people.withdrawals import withdrawal
from tests.api.conftest import client_with, secret_of
from tests.html import page_of
from tests.labeling.answers import downloaded
from tests.labeling.people.withdrawals.story import Cast
from tests.labeling.people.withdrawals.test_written_words import SignedIn, cast, shown, staff
from tests.training.cast import a_run
from training.models import Run, RunSample
from training.processes.run_lines import shown_prompt

__all__ = ["cast", "staff"]
pytestmark = pytest.mark.django_db
HERS = {"wmessage7q", "wattack7q", "wfurther7q"}
OTHERS = "What is nine?"


def sample(run: Run, line: int, prompt: str) -> None:
    words = {"prompt": prompt, "response": f"Response {line}.", "scores": {"reward": 1.0}}
    RunSample.objects.create(run=run, attempt=1, step=1, line=line, **words)


@pytest.fixture
def runs(cast: Cast) -> list[Run]:
    """Two runs that answered Rosa's messages, her attack, a dialogue of hers and a prompt of
    nobody's.
    """
    asked = [prompt.messages for prompt in prompts_written_by(cast.rosa)]
    dialogue = Demonstration.objects.exclude(further=[]).get()
    asked += [chat for chat, _answer in dialogue.later_answers()]
    runs = [a_run(cast.admin, state="succeeded", name=name) for name in ("First", "Second")]
    for run in runs:
        for line, messages in enumerate(asked):
            sample(run, line, shown_prompt(messages))
        sample(run, 99, OTHERS)
    return runs


def places(client: Client, admin: User, runs: list[Run]) -> Iterator[tuple[str, str]]:
    first, second = runs
    for path in (f"/runs/{first.pk}/", f"/runs/compare/?run={first.pk}&run={second.pk}"):
        yield path, page_of(client.get(path))
    path = f"/api/v1/runs/{first.pk}/samples"
    yield path, page_of(client_with(secret_of(admin)).get(path))
    packed = zipfile.ZipFile(io.BytesIO(downloaded(client.get(f"/runs/{first.pk}/archive"))))
    yield "archive", packed.read(f"run-{first.pk}/samples.jsonl").decode()


def readmit(rater: Rater, by: User) -> None:
    rater.refresh_from_db()
    withdrawal.readmit_rater(rater=rater, by=by, now=timezone.now())


def test_samples_to_what_a_rater_wrote_leave_every_place_and_come_back(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    client = signed_in(cast.admin)
    everywhere = [name for name, _text in places(client, cast.admin, runs)]
    assert shown(HERS, places(client, cast.admin, runs)) == dict.fromkeys(HERS, everywhere)

    withdrawal.withdraw_rater(rater=cast.rosa, by=cast.admin, now=timezone.now())

    assert shown(HERS, places(client, cast.admin, runs)) == {}
    assert shown({OTHERS}, places(client, cast.admin, runs)) == {OTHERS: everywhere}

    readmit(cast.rosa, by=cast.admin)
    assert shown(HERS, places(client, cast.admin, runs)) == dict.fromkeys(HERS, everywhere)
