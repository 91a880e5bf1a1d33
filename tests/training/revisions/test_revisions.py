"""A share of a run's revisions goes to raters, blind, and the run's page says what came out."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from labeling.queue.claiming import claim, order
from tests.cast import some_prompts
from tests.html import text_of
from tests.labeling.campaigns.judging import judge_one, prefer
from tests.training import revising
from tests.training.conftest import NOW
from training.models import RevisionCheck, Run, Snapshot, TrainedModel
from training.revisions import draw, selectors, services, words
from training.revisions.services import Terms, UnableToAsk
from training.snapshots.response_numbers import response_number

pytestmark = pytest.mark.django_db


@pytest.fixture
def revised(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> Callable[..., Run]:
    def make(written: revising.Written, **details: object) -> Run:
        version = revising.a_constitution(noor)
        run = revising.queued(base_model, make_snapshot("prompts"), version.pk, by=noor)
        return revising.ended(run, written, **details)  # type: ignore[arg-type]

    return make


def twice(prompts: list[Prompt]) -> dict[Prompt, dict[int, str]]:
    return {
        prompt: {0: f"first {prompt.pk}", 1: f"second {prompt.pk}", 2: f"third {prompt.pk}"}
        for prompt in prompts
    }


@pytest.fixture
def terms(day_shift: Pool, guideline: Guideline) -> Terms:
    return Terms(pool=day_shift, guideline=guideline)


def asked(run: Run, terms: Terms, by: User) -> RevisionCheck:
    return services.ask_raters(run=run, terms=terms, by=by, now=NOW)


def answer(run: Run, campaign: Campaign, rater: Rater, *liked: int | None) -> None:
    """One answer each: the round that the rater likes best, None for a tie."""
    for number in liked:
        wanted = number if number is None else response_number(run_id=run.pk, number=number)
        assert judge_one(campaign, rater, number=wanted, now=NOW)


def test_a_share_is_drawn_and_at_least_ten_where_there_are_so_many() -> None:
    assert [draw.n_drawn(n, 0.1) for n in (0, 4, 10, 60, 100, 101, 5000)] == [
        *(0, 4, 10, 10, 10, 11, 500)
    ]


def test_raters_compare_the_last_revision_with_the_first_answer_and_see_no_hint(
    revised: Callable[..., Run], terms: Terms, noor: User, rosa: Rater
) -> None:
    run = revised(twice(some_prompts(12)))

    check = asked(run, terms, noor)

    slot = claim.claim(campaign=check.campaign, rater=rosa, now=NOW)
    assert slot is not None
    shown = order.presented(slot)
    assert sorted(response.text.split()[0] for response in shown) == ["first", "third"]
    assert (check.n_asked, check.n_revised) == (10, 12)
    assert check.campaign.state == Campaign.State.OPEN
    assert check.campaign.name == f"Comparison of run {run.pk}"


def test_the_sides_are_drawn(
    revised: Callable[..., Run], terms: Terms, noor: User, rosa: Rater
) -> None:
    run = revised(twice(some_prompts(40)))
    check = asked(run, Terms(pool=terms.pool, guideline=terms.guideline, share=1), noor)
    sides = []

    while slot := claim.claim(campaign=check.campaign, rater=rosa, now=NOW):
        sides.append(order.presented(slot)[0].text.split()[0])
        prefer(slot, number=None, now=NOW)

    assert 8 <= sides.count("third") <= 32


def test_an_answer_that_is_the_same_again_is_not_compared(
    revised: Callable[..., Run], terms: Terms, noor: User
) -> None:
    same, kept, other = some_prompts(3)
    run = revised(
        {same: {0: "a b", 1: "c", 2: "a  b\n"}, kept: {0: "as it was"}, other: {0: "a", 2: "b"}}
    )

    check = asked(run, terms, noor)

    assert list(check.campaign.items.values_list("prompt", flat=True)) == [other.pk]


def test_raters_are_asked_once(revised: Callable[..., Run], terms: Terms, noor: User) -> None:
    run = revised(twice(some_prompts(3)))
    asked(run, terms, noor)

    with pytest.raises(UnableToAsk, match="already"):
        asked(run, terms, noor)

    assert Campaign.objects.count() == 1


def test_a_run_without_revisions_has_nothing_to_compare(
    revised: Callable[..., Run], terms: Terms, noor: User
) -> None:
    run = revised({prompt: {0: "as it was"} for prompt in some_prompts(2)})

    with pytest.raises(UnableToAsk, match="revised no answer"):
        asked(run, terms, noor)


def test_another_run_has_no_such_page(
    signed_in: Callable[..., Client], noor: User, queue: Callable[..., Run], terms: Terms
) -> None:
    run = queue("sample")

    with pytest.raises(UnableToAsk, match="Only a finished run"):
        asked(run, terms, noor)

    assert signed_in(noor).get(f"/runs/{run.pk}/revisions/").status_code == 404


def test_nothing_is_concluded_before_the_raters_have_finished(
    revised: Callable[..., Run], terms: Terms, noor: User, rosa: Rater
) -> None:
    run = revised(twice(some_prompts(12)))
    check = asked(run, terms, noor)
    answer(run, check.campaign, rosa, *[2] * 9)

    found = selectors.preferred(run=run)

    assert found is not None
    verdict = words.verdict(found)
    assert verdict.sentence.startswith("People preferred the revision in 100 % (")
    assert verdict.sentence.endswith("of 9 pairs. 1 answer is still missing.")
    assert not verdict.effect


def test_the_share_counts_a_tie_as_half_and_a_principle_with_thirty_pairs_has_its_own(
    revised: Callable[..., Run], terms: Terms, noor: User, rosa: Rater
) -> None:
    prompts = some_prompts(40)
    written = {
        prompt: {0: "first", 1: "second"} | ({2: "third"} if place < 8 else {})
        for place, prompt in enumerate(prompts)
    }
    run = revised(written, principles={1: "honest", 2: "clear"})
    check = asked(run, Terms(pool=terms.pool, guideline=terms.guideline, share=1), noor)
    for _item in range(40):
        slot = claim.claim(campaign=check.campaign, rater=rosa, now=NOW)
        assert slot is not None
        place = [prompt.pk for prompt in prompts].index(slot.item.prompt_id)
        number = max(written[prompts[place]])
        liked = response_number(run_id=run.pk, number=number if place < 30 else 0)
        prefer(slot, number=None if place % 10 == 9 else liked, now=NOW)

    found = selectors.preferred(run=run)

    assert found is not None
    assert found.whole.figure.value == pytest.approx((27 + 4 / 2) / 40)
    assert words.verdict(found).sentence.startswith("People preferred the revision in 72 % (")
    assert words.verdict(found).sentence.endswith("of 40 pairs. The revisions are better.")
    honest, clear = words.rows(found)
    assert (honest.label, honest.n_pairs, clear.label, clear.n_pairs) == ("Honest", 40, "Clear", 8)
    assert honest.share.startswith("72 % (")
    assert clear.share == "–"
    assert clear.conclusion.startswith("Too few to tell: about ")


def test_a_researcher_asks_on_the_page_of_the_run_and_reads_the_answer_there(
    revised: Callable[..., Run],
    signed_in: Callable[..., Client],
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
) -> None:
    run = revised(twice(some_prompts(12)))
    client = signed_in(noor)
    assert f"/runs/{run.pk}/revisions/" in text_of(client, f"/runs/{run.pk}/")

    sent = client.post(
        f"/runs/{run.pk}/revisions/",
        {"pool": day_shift.pk, "guideline": guideline.pk, "share": 10, "overlap": 1},
    )

    assert sent.status_code == 302
    page = text_of(client, f"/runs/{run.pk}/")
    assert "Raters compare 10 revisions with the answers before them, blind." in page
    assert "Have revisions compared" not in page


def test_a_second_tab_asks_nobody_again_and_keeps_what_it_says(
    revised: Callable[..., Run],
    signed_in: Callable[..., Client],
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
) -> None:
    run = revised(twice(some_prompts(3)))
    client = signed_in(noor)
    terms = {"pool": day_shift.pk, "guideline": guideline.pk, "share": 37, "overlap": 1}
    client.post(f"/runs/{run.pk}/revisions/", terms)

    again = client.post(f"/runs/{run.pk}/revisions/", terms)

    assert again.status_code == 422
    assert "Raters have been asked about the revisions of this run already." in again.text
    assert 'value="37"' in again.text
    assert Campaign.objects.count() == 1


def test_a_principle_is_shown_as_text(
    revised: Callable[..., Run], terms: Terms, noor: User, signed_in: Callable[..., Client]
) -> None:
    hostile = "<script>alert(1)</script>%(n)s{{ x }}"
    run = revised(twice(some_prompts(3)), principles={1: hostile, 2: hostile})
    asked(run, terms, noor)

    page = signed_in(noor).get(f"/runs/{run.pk}/").content.decode()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;%(n)s{{ x }}" in page
    assert hostile not in page
