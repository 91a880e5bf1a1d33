"""Pages next to a run's page: its log with search, its archive, and the model's responses with
scores.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from tests.html import squeezed, text_of
from tests.labeling.answers import downloaded
from tests.training import cast
from training.models import Run

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture
def run(noor: User) -> Run:
    log = "14:20:11 step 250 saved\n14:20:19 step 251 loss 1.21\n14:20:22 STEP 252 loss 1.19"
    return cast.a_run(noor, state="running", n_points=252, log_tail=log)


def test_the_log_shows_the_lines_that_have_all_words_with_their_numbers(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    answer = signed_in(noor).get(f"/runs/{run.pk}/log/?words=step+LOSS")

    assert [number for number, _line in answer.context["lines"]] == [2, 3]
    assert "STEP 252" in answer.content.decode()
    assert "step 250" not in answer.content.decode()


def test_without_words_the_log_is_whole_and_without_a_hit_it_says_so(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    client = signed_in(noor)

    assert len(client.get(f"/runs/{run.pk}/log/").context["lines"]) == 3
    assert client.get(f"/runs/{run.pk}/log/?words=nowhere").context["lines"] == []


def test_all_of_a_run_is_one_file(signed_in: SignIn, noor: User, run: Run) -> None:
    answer = signed_in(noor).get(f"/runs/{run.pk}/archive")

    packed = zipfile.ZipFile(io.BytesIO(downloaded(answer)))
    folder = f"run-{run.pk}"
    points = packed.read(f"{folder}/points.jsonl").splitlines()
    samples = [json.loads(line) for line in packed.read(f"{folder}/samples.jsonl").splitlines()]
    assert json.loads(packed.read(f"{folder}/run.json"))["name"] == run.name
    assert json.loads(packed.read(f"{folder}/config.json")) == run.config
    assert packed.read(f"{folder}/log.txt").decode() == run.log_tail
    assert (len(points), json.loads(points[-1])["step"]) == (252, 252)
    assert [round(sample["scores"]["reward"], 2) for sample in samples] == [1.62, 0.62]
    assert AuditEvent.objects.get(action="download").target_id == run.pk


def test_sampled_texts_stand_on_the_page_with_their_scores(
    signed_in: SignIn, noor: User, run: Run
) -> None:
    page = squeezed(signed_in(noor).get(f"/runs/{run.pk}/").content.decode())

    assert "Explain to a child why the moon changes shape." in page
    assert "1.62" in page
    assert re.search(r">\s*Reward\s*</th>", page)


def test_a_run_says_on_its_page_what_took_its_time(signed_in: SignIn, noor: User) -> None:
    run = cast.a_run(noor, state="finished", outcome="succeeded")
    run.metrics = {"writing_share": 0.7, "updating_share": 0.3, "waiting_share": 0.1}
    run.save()

    page = text_of(signed_in(noor), f"/runs/{run.pk}/")

    assert "Most of the time went into writing responses (70 %), then into updating" in page
    assert "For 10 % of it the run only waited" in page
    assert "writing share" not in page
