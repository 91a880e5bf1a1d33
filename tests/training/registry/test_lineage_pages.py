"""From a model back to single judgments, for a researcher: campaign, prompt and snapshot rows,
without the raters' names.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.models import Campaign, Import, Judgment, Prompt, Rater, Source
from labeling.people.withdrawals import withdrawal
from tests import html
from tests.api.test_labeling import ranked, written
from tests.cast import NOON, login_of
from tests.html import text_of
from tests.training import cast
from training.models import Run, Snapshot, TrainedModel
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.snapshots import services as snapshots_services
from training.snapshots.pretraining.documents import Document
from training.snapshots.services import Filters

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _own_folders(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    request.getfixturevalue("settings").SNAPSHOTS_DIR = tmp_path


@pytest.fixture
def judge(noor: User, rosa: Rater, comparison_campaign: Campaign) -> TrainedModel:
    """A reward model that learned from one comparison by Rosa, of four responses by a model that is
    registered.
    """
    ranked(comparison_campaign, rosa)
    base = cast.a_model(noor)
    TrainedModel.objects.filter(pk=base.pk).update(source=Source.objects.get(name="a model"))
    snapshot = snapshots_services.create_snapshot(
        kind="comparisons", name="Fresh", filters=Filters(), by=noor, now=timezone.now()
    )
    run = run_queue.queue_run(
        kind="reward",
        name="r",
        config={},
        snapshot=snapshot,
        base_model=base,
        by=noor,
        now=timezone.now(),
    )
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=timezone.now())
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=AttemptResult(Run.Outcome.SUCCEEDED, model="/models/judge"),
        now=timezone.now(),
    )
    return TrainedModel.objects.get(run=run)


def folder_of(snapshot: Snapshot) -> Path:
    return Path(settings.SNAPSHOTS_DIR) / snapshot.folder


def test_a_researcher_clicks_from_a_model_to_the_very_judgment(
    signed_in: SignIn, noor: User, judge: TrainedModel, comparison_campaign: Campaign
) -> None:
    client, judgment, snapshot = signed_in(noor), Judgment.of_people.get(), Snapshot.objects.get()
    split = judgment.prompt.split

    model = text_of(client, f"/models/{judge.pk}/")
    asked = text_of(client, f"/lineage/campaigns/{comparison_campaign.pk}/")
    rows = text_of(client, f"/snapshots/{snapshot.pk}/rows/?split={split}")
    prompt = text_of(client, f"/lineage/prompts/{judgment.prompt_id}/")

    assert f'href="/lineage/campaigns/{comparison_campaign.pk}/"' in model
    assert f'href="/snapshots/{snapshot.pk}/rows/"' in asked
    assert f'id="comparison-{judgment.pk}"' in rows
    assert f'href="/lineage/prompts/{judgment.prompt_id}/"' in rows
    for page in (asked, rows, prompt):
        assert f'href="/models/{judge.parent_id}/"' in page
    assert f'href="/lineage/campaigns/{comparison_campaign.pk}/"' in prompt
    assert f'href="/snapshots/{snapshot.pk}/rows/"' in prompt
    assert f'href="/snapshots/{snapshot.pk}/rows/"' in text_of(client, f"/snapshots/{snapshot.pk}/")


def test_every_node_of_a_lineage_leads_somewhere(
    signed_in: SignIn, noor: User, judge: TrainedModel, comparison_campaign: Campaign
) -> None:
    assert judge.parent is not None
    client = signed_in(noor)

    drawings = [
        client.get(f"/models/{model.pk}/").context["drawing"] for model in (judge, judge.parent)
    ]

    nodes = [
        node
        for drawing in drawings
        for row in [*drawing.before, drawing.after]
        for place in row
        for node in place.nodes
    ]
    assert len(nodes) > 8
    assert [node.label for node in nodes if not node.url] == []
    for node in nodes:
        text_of(client, node.url)


def test_a_row_says_how_its_responses_came_out_and_who_wrote_them(
    signed_in: SignIn, noor: User, judge: TrainedModel
) -> None:
    split = Prompt.objects.get(judgments__isnull=False).split

    (row,) = (
        signed_in(noor)
        .get(f"/snapshots/{Snapshot.objects.get().pk}/rows/?split={split}")
        .context["rows"]
    )

    assert [answer.rank for answer in row.answers] == [1, 2, 2, None]
    assert {(answer.rank, answer.rating) for answer in row.answers} == {
        (1, 2),
        (2, 1),
        (2, 3),
        (None, 4),
    }
    assert {answer.model.pk for answer in row.answers} == {judge.parent_id}


def test_a_campaign_shows_its_questions_and_the_number_of_raters(
    signed_in: SignIn, noor: User, rosa: Rater, judge: TrainedModel, comparison_campaign: Campaign
) -> None:
    page = text_of(signed_in(noor), f"/lineage/campaigns/{comparison_campaign.pk}/")

    assert "1 answer by 1 rater on 5 items" in " ".join(page.split())
    assert "Be helpful" in page
    assert comparison_campaign.guideline.name in page
    assert not html.names(page, rosa.alias)
    assert login_of(rosa).name not in page


def test_raters_go_by_their_pseudonyms_and_writers_of_prompts_by_none(
    signed_in: SignIn, noor: User, alice: User, rosa: Rater, judge: TrainedModel
) -> None:
    judgment = Judgment.of_people.get()
    theirs = Source.objects.create(name=alice.email, kind="person", person=alice)
    Prompt.objects.filter(pk=judgment.prompt_id).update(source=theirs)
    client = signed_in(noor)

    rows = text_of(
        client, f"/snapshots/{Snapshot.objects.get().pk}/rows/?split={judgment.prompt.split}"
    )
    prompt = text_of(client, f"/lineage/prompts/{judgment.prompt_id}/")

    assert rosa.alias in rows
    for page in (rows, prompt):
        assert login_of(rosa).name not in page
        assert login_of(rosa).email not in page
        assert alice.email not in page


def test_what_a_rater_gave_who_has_withdrawn_is_shown_no_more(
    signed_in: SignIn,
    noor: User,
    alice: User,
    rosa: Rater,
    judge: TrainedModel,
    comparison_campaign: Campaign,
) -> None:
    judgment = Judgment.of_people.get()
    withdrawal.withdraw_rater(rater=rosa, by=alice, now=NOON)
    client = signed_in(noor)

    response = client.get(
        f"/snapshots/{Snapshot.objects.get().pk}/rows/?split={judgment.prompt.split}"
    )

    (row,) = response.context["rows"]
    assert (row.answers, row.is_withheld) == ([], True)
    assert "This rater has withdrawn" in response.content.decode()
    assert not html.names(response.content.decode(), rosa.alias)
    assert "0 answers" in text_of(client, f"/lineage/campaigns/{comparison_campaign.pk}/")


def test_rows_are_paged_and_every_page_costs_the_same(
    signed_in: SignIn,
    noor: User,
    rosa: Rater,
    demonstration_campaign: Campaign,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(5):
        written(demonstration_campaign, rosa, f"Answer {number}.")
    Prompt.objects.update(split="train")
    snapshot = snapshots_services.create_snapshot(
        kind="demonstrations", name="Five", filters=Filters(), by=noor, now=timezone.now()
    )
    file = folder_of(snapshot) / "train.jsonl"
    lines = file.read_text().splitlines()
    file.chmod(0o644)
    file.write_text("".join(f"{line}\n" for line in lines * 9))
    Snapshot.objects.update(card={"splits": {"train": 45, "validation": 0, "test": 0}})
    client = signed_in(noor)
    client.get(f"/snapshots/{snapshot.pk}/rows/")

    pages = []
    for number in (1, 2, 3):
        with django_assert_num_queries(6):
            pages.append(client.get(f"/snapshots/{snapshot.pk}/rows/?page={number}"))

    assert [len(page.context["rows"]) for page in pages] == [20, 20, 5]
    assert "41 to 45 of 45" in pages[2].content.decode()
    assert pages[0].context["rows"][0].answers[0].text == "Answer 0."


def test_rows_that_are_not_here_are_said_to_be_elsewhere(
    signed_in: SignIn, noor: User, judge: TrainedModel
) -> None:
    snapshot = Snapshot.objects.get()
    shutil.rmtree(folder_of(snapshot))

    assert "not on this machine" in text_of(signed_in(noor), f"/snapshots/{snapshot.pk}/rows/")


def test_snapshots_of_prompts_and_of_text_are_read_too(
    signed_in: SignIn, noor: User, comparison_campaign: Campaign
) -> None:
    Prompt.objects.update(split="train")
    prompts = snapshots_services.create_snapshot(
        kind="prompts", name="P", filters=Filters(), by=noor, now=timezone.now()
    )
    documents = [Document(f"A tale of {number} models.", "tales.txt") for number in range(30)]
    text = snapshots_services.create_text_snapshot(
        name="T", documents=documents, licence="MIT", min_characters=1, by=noor, now=timezone.now()
    )
    client = signed_in(noor)

    assert f'href="/lineage/prompts/{Prompt.objects.first().pk}/"' in text_of(
        client, f"/snapshots/{prompts.pk}/rows/"
    )
    assert "A tale of" in text_of(client, f"/snapshots/{text.pk}/rows/")


@pytest.mark.parametrize(
    "path", ["/lineage/campaigns/9/", "/lineage/prompts/9/", "/snapshots/9/rows/"]
)
def test_what_is_not_there_is_not_found(signed_in: SignIn, noor: User, path: str) -> None:
    assert signed_in(noor).get(path).status_code == 404


def test_a_prompt_of_an_import_that_is_not_published_is_not_there(
    signed_in: SignIn, noor: User, comparison_campaign: Campaign
) -> None:
    prompt = Prompt.objects.earliest("pk")
    batch = Import.objects.create(
        file_name="x", path="x", format="jsonl", source=prompt.source, licence="MIT", state="queued"
    )
    Prompt.objects.filter(pk=prompt.pk).update(import_batch=batch)

    assert signed_in(noor).get(f"/lineage/prompts/{prompt.pk}/").status_code == 404


def test_an_admin_who_does_research_goes_to_the_pages_where_things_are_managed(
    signed_in: SignIn, noor: User, judge: TrainedModel, comparison_campaign: Campaign
) -> None:
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    noor.refresh_from_db()
    split = Judgment.of_people.get().prompt.split

    rows = text_of(signed_in(noor), f"/snapshots/{Snapshot.objects.get().pk}/rows/?split={split}")

    assert f'href="/campaigns/{comparison_campaign.pk}/"' in rows
