"""The page that imports answers by several raters, through HTTP."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from labeling.data.imports import previews
from labeling.data.imports import services as imports_services
from labeling.importers.files import lines
from labeling.models import Campaign, Import, Judgment, RankedResponse
from labeling.quality.services import compute_quality
from tests.cast import NOON
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.data.formats.containers import xlsx
from tests.labeling.importers.hostile.packed import PACKED

SignedIn = Callable[[User], Client]

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/import/"
PAIRS = b"id,prompt,response_a,response_b,rater,winner\n7,Hi,x,y,ann,A\n7,Hi,x,y,bob,B\n"
CODED = b"id,prompt,response_a,response_b,rater,winner\n7,Hi,x,y,ann,0\n7,Hi,x,y,bob,1\n"


@pytest.fixture(autouse=True)
def uploads(settings: Any, tmp_path: Path) -> Path:
    settings.UPLOADS_DIR = tmp_path
    return tmp_path


def post(client: Client, content: bytes | None = None, **changes: Any) -> Any:
    fields: dict[str, Any] = {"source_name": "crowd", "licence": "CC0-1.0", "campaign": "Votes"}
    if content is not None:
        fields["file"] = SimpleUploadedFile("votes.csv", content)
    return client.post(PAGE, fields | changes)


def token_in(answer: Any, name: str = "upload") -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def run() -> Import:
    batch = Import.objects.get()
    imports_services.IMPORTS.run(batch.pk, clock=lambda: NOON)
    batch.refresh_from_db()
    return batch


def test_a_preview_shows_answers_and_what_the_votes_mean(alice: User, signed_in: SignedIn) -> None:
    text = words(post(signed_in(alice), PAIRS, preview="1"))

    assert "What the votes mean" in text
    assert "ranking by ann" in text
    assert not Import.objects.exists()


def test_the_import_starts_after_the_preview_and_ends_in_a_campaign(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    token = token_in(post(client, PAIRS, preview="1"))

    answer = post(client, upload=token, start="1")

    batch = run()
    assert answer.url == f"/prompts/imports/{batch.pk}/"
    campaign = Campaign.objects.get()
    assert f"/campaigns/{campaign.pk}/" in words(client.get(answer.url))
    assert campaign.judgments.count() == 2


def test_start_pressed_twice_starts_one_import_and_leads_to_it(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    token = token_in(post(client, PAIRS, preview="1"))
    post(client, upload=token, start="1")

    answer = post(client, upload=token, start="1")

    batch = Import.objects.get()
    assert answer.url == f"/prompts/imports/{batch.pk}/"
    assert "This import was started already." in words(client.get(answer.url))


def test_of_two_presses_at_the_same_time_one_moves_the_file_and_the_other_starts_nothing(
    alice: User, signed_in: SignedIn
) -> None:
    """Both have seen the kept file."""
    token = token_in(post(signed_in(alice), PAIRS, preview="1"))
    kept = previews.kept_file(token=token, by=alice)
    assert kept
    wanted: dict[str, Any] = {"source_name": "crowd", "licence": "CC0-1.0", "campaign": "Votes"}
    start = partial(imports_services.start_kept, path=kept.path, file_name="votes.csv", **wanted)
    start(file_format="annotations", by=alice, now=NOON)

    with pytest.raises(imports_services.AlreadyStarted):
        start(file_format="annotations", by=alice, now=NOON)

    assert Import.objects.count() == 1


def test_a_second_import_into_a_campaign_of_the_same_name_waits_for_the_first(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    post(client, upload=token_in(post(client, PAIRS, preview="1")), start="1")

    answer = post(client, upload=token_in(post(client, PAIRS, preview="1")), start="1")

    assert answer.status_code == 422
    assert "An import into a campaign of this name has not ended yet." in words(answer)
    assert Import.objects.count() == 1


def test_source_and_licence_are_asked_beside_the_preview(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    blank: dict[str, Any] = {"source_name": "", "licence": "", "campaign": ""}
    assert 'name="licence"' not in client.get(PAGE).text

    preview = post(client, PAIRS, preview="1", **blank)
    assert preview.status_code == 200
    assert "This field is required." not in words(preview)

    started = post(client, upload=token_in(preview), start="1", **(blank | {"campaign": "Votes"}))
    assert started.status_code == 422
    assert words(started).count("This field is required.") == 2
    assert "ranking by ann" in words(started)
    assert 'value="Votes"' in started.text
    assert not Import.objects.exists()


def test_each_column_is_a_row_with_a_guess(alice: User, signed_in: SignedIn) -> None:
    content = (
        b"prompt,response_a,response_b,rater,winner,overall_a,overall_b,tone_b\n"
        b"Hi,x,y,ann,A,6,4,1\nHi,x,y,bob,B,5,7,2\nHo,z,w,ann,A,4,6,2\nHo,z,w,bob,B,7,5,1\n"
    )
    preview = post(signed_in(alice), content, preview="1")

    guesses = {field.label: field.value() for field in preview.context["roles_form"]}

    assert guesses["overall_a"] == "left_answer"
    assert (guesses["overall_b"], guesses["tone_b"]) == ("right_answer", "right_answer")
    assert '<th scope="row"><label for="id_role-5">overall_a</label></th>' in page_of(preview)


def test_values_that_are_not_clear_must_be_explained(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    shown = post(client, CODED, preview="1")
    token = token_in(shown)

    assert "not clear what 0, 1 mean" in words(shown)
    assert post(client, upload=token, start="1").status_code == 422

    legend: dict[str, Any] = {"means-0": "second", "means-1": "first"}
    assert post(client, upload=token, start="1", **legend).status_code == 302
    run()
    best = RankedResponse.objects.filter(rank=1).values_list(
        "comparison__judgment__rater__origin", "response__text"
    )
    assert set(best) == {("crowd: ann", "y"), ("crowd: bob", "x")}


def test_a_column_can_be_something_else_than_it_seems(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    content = b"item,person,score\n1,ann,3\n1,bob,4\n"
    token = token_in(post(client, content, preview="1"))
    roles: dict[str, Any] = {"role-0": "item", "role-1": "rater", "role-2": "choice"}

    shown = post(client, upload=token, preview="1", **roles)

    assert "score: categories: 3, 4" in words(shown)
    assert post(client, upload=token, start="1", **roles).status_code == 302
    run()
    assert Judgment.of_people.count() == 2


def test_two_columns_cannot_both_be_the_rater(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    token = token_in(post(client, b"item,person,score\n1,ann,3\n", preview="1"))
    roles: dict[str, Any] = {"role-0": "rater", "role-1": "rater", "role-2": "answer"}

    answer = post(client, upload=token, start="1", **roles)

    assert answer.status_code == 422
    assert "Another column already has this meaning." in words(answer)


def test_a_second_file_has_the_texts(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    texts = SimpleUploadedFile(
        "pairs.jsonl", b'{"id": 7, "text": "Hi", "result_x": "x", "result_y": "y"}\n'
    )
    shown = post(client, b"id,worker,winner\n7,ann,left\n", texts=texts, preview="1")

    answer = post(
        client,
        upload=token_in(shown),
        texts_upload=token_in(shown, "texts_upload"),
        start="1",
    )

    assert answer.status_code == 302
    run()
    assert set(RankedResponse.objects.values_list("response__text", "rank")) == {("x", 1), ("y", 2)}


def test_the_campaigns_page_of_agreement_has_kappa_of_every_two_raters(
    alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    lines = [
        f"{n},{rater},{(n + shift) % 3}" for n in range(12) for shift, rater in enumerate("abc")
    ]
    token = token_in(post(client, "\n".join(["item,rater,score", *lines]).encode(), preview="1"))
    post(client, upload=token, start="1")
    run()
    campaign = Campaign.objects.get()
    compute_quality(campaign_id=campaign.pk, now=NOON)

    text = words(client.get(f"/campaigns/{campaign.pk}/agreement/"))

    assert "Cohen κ by pair of raters" in text
    assert "3 pairs of raters with intervals" in text
    for page in ("", "bias/", "items/", "export/", "set-up/"):
        assert client.get(f"/campaigns/{campaign.pk}/{page}").status_code == 200


def test_raters_cannot_import_answers(rosa: Any, signed_in: SignedIn) -> None:
    assert signed_in(rosa.user).get(PAGE).status_code == 403


@pytest.mark.parametrize("is_own", [False, True])
def test_the_bias_page_says_that_positions_are_those_of_the_file(
    alice: User, signed_in: SignedIn, is_own: bool
) -> None:
    """Not for an export of this site, which has the positions that raters saw."""
    client = signed_in(alice)
    post(client, upload=token_in(post(client, PAIRS, preview="1")), start="1")
    run()
    Import.objects.update(format="rankings" if is_own else "annotations")
    campaign = Campaign.objects.get()
    compute_quality(campaign_id=campaign.pk, now=NOON)

    text = words(client.get(f"/campaigns/{campaign.pk}/bias/"))

    assert ("Positions are the order of the responses in the file" in text) is not is_own


def test_texts_beyond_the_budget_of_a_preview_are_read_by_the_worker(
    alice: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LOOKED_AT", 4_000)
    votes = b"id,rater,winner\n" + b"".join(b"%d,ann,A\n%d,bob,B\n" % (n, n) for n in range(50))
    texts = b"id,prompt,response_a,response_b\n" + b"".join(
        b"%d,Hi %d,%s,y\n" % (n, n, b"x" * 200) for n in reversed(range(50))
    )
    client = signed_in(alice)
    previewed = post(client, votes, preview="1", texts=SimpleUploadedFile("texts.csv", texts))
    assert "Hi 3" in words(previewed)
    assert "No pair has the ID" not in words(previewed)

    tokens: dict[str, Any] = {
        name: token_in(previewed, name) for name in ("upload", "texts_upload")
    }
    post(client, start="1", **tokens)

    assert run().counts["comparisons"] == 100
    assert not Import.objects.get().problems


def test_a_table_that_is_too_large_to_look_at_says_what_to_do(
    alice: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LOOKED_AT", 1_000)
    rows = [{"item": str(n), "rater": "ann", "rating": "3"} for n in range(50)]

    text = words(post(signed_in(alice), xlsx(rows), preview="1"))

    assert "too large to look at its columns" in text


def test_noise_is_answered_with_a_sentence(alice: User, signed_in: SignedIn) -> None:
    """Its heading has halves of surrogate pairs, which no page can hold."""
    answer = post(signed_in(alice), PACKED["noise"](), preview="1")

    assert answer.status_code == 200
    assert "Line 1: The file is not UTF-8" in words(answer)
