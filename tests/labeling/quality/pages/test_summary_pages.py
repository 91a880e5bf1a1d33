"""A campaign's Quality page: verdict, four figures, what is unusual, and its raters."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, QualityReport, Rater, RaterQuality, RaterStanding
from labeling.quality import services as quality_services
from labeling.votes.arrays import NOT_ANSWERED
from tests.cast import NOON
from tests.labeling.answers import words

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def page_of(campaign: Campaign, client: Client, part: str = "quality") -> str:
    return words(client.get(f"/campaigns/{campaign.pk}/{part}/"))


def row_of(rater: Rater, page: str) -> str:
    """Their row of the table of raters."""
    table = page[page.index("Raters to check first") :]
    rows: list[str] = re.findall(
        rf'<tr><th scope="row"[^>]*><a href="[^"]*/raters/{rater.pk}/">.*?</tr>', table
    )
    assert len(rows) == 1
    return rows[0]


def test_it_begins_with_the_verdict_and_four_figures(
    crowd: tuple[Campaign, Rater], alice: User, signed_in: SignedIn
) -> None:
    campaign, _habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)

    page = page_of(campaign, signed_in(alice))

    order = [
        "verdict-sentence",
        "fact-value",
        'id="look"',
        'id="disputed"',
        "Raters to check first",
    ]
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert page.count('class="fact-value"') == 4
    assert f'href="/campaigns/{campaign.pk}/bias/">Position bias</a>' in page
    assert f'href="/campaigns/{campaign.pk}/agreement/">Agreement' in page
    assert "Nothing is unusual" not in page


@pytest.mark.parametrize("part", ["quality", "agreement", "bias", "gold"])
def test_each_part_is_one_tab_below_the_tab_of_quality(
    part: str, measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = page_of(measured, signed_in(alice), part)

    tabs = re.findall(r'<a class="tab" href="([^"]*)" aria-current="page"', page)
    assert tabs == [f"/campaigns/{measured.pk}/quality/", f"/campaigns/{measured.pk}/{part}/"]


@pytest.mark.parametrize(("n", "is_shown"), [(19, False), (20, True)])
def test_a_raters_figures_have_intervals_and_twenty_answers(
    n: int, is_shown: bool, crowd: tuple[Campaign, Rater], alice: User, signed_in: SignedIn
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    RaterQuality.objects.filter(rater=habitual).update(n_judgments=n)
    client = signed_in(alice)

    row = row_of(habitual, page_of(campaign, client))
    table = words(client.get(f"/campaigns/{campaign.pk}/"))
    first_page = table[table.index("sorted by number of answers") :]

    assert ("too few answers" in row) is not is_shown
    assert bool(re.search(r"\d %</", row)) is is_shown
    assert ("too few answers" in first_page) is not is_shown
    if is_shown:
        intervals = re.findall(r'class="fact-note">([^<]*)<', row)
        assert len(intervals) == len(re.findall(r">\d+ %</(?:a|span)>", row)) == 3
        assert [text for text in intervals if not re.fullmatch(r"[\d.]+ – [\d.]+ %", text)] == []


def test_a_figure_without_an_interval_is_not_shown_of_a_rater(
    crowd: tuple[Campaign, Rater], alice: User, signed_in: SignedIn
) -> None:
    campaign, habitual = crowd
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    measured = RaterQuality.objects.get(rater=habitual)
    measured.results["longer"] |= {"value": 0.6180, "low": None, "high": None, "n": 4}
    measured.save()

    row = row_of(habitual, page_of(campaign, signed_in(alice)))

    [length] = re.findall(r'data-label="Length bias">(.*?)</td>', row)
    assert re.sub(r"<[^>]*>", "", length).strip() == "–"
    assert "/longer/" not in row


@pytest.mark.parametrize(
    ("ends", "sentence"),
    [
        (
            (0.62, 0.55, 0.69),
            "The response shown first wins more often than others: 62 % (55 – 69 %).",
        ),
        (
            (0.38, 0.31, 0.45),
            "The response shown first wins less often than others: 38 % (31 – 45 %).",
        ),
        ((0.62, 0.49, 0.75), ""),
        ((0.62, None, None), ""),
    ],
)
def test_a_position_is_unusual_only_if_its_interval_says_so(
    ends: tuple[float, float | None, float | None],
    sentence: str,
    measured: Campaign,
    alice: User,
    signed_in: SignedIn,
) -> None:
    report = QualityReport.objects.get()
    report.results["habits"]["first"] |= dict(zip(("value", "low", "high"), ends, strict=True))
    report.results["items"]["split"] = []
    report.save()

    page = page_of(measured, signed_in(alice))

    assert sentence in page
    assert ("The response shown first wins" in page) is bool(sentence)
    assert ("Nothing is unusual." in page) is not bool(sentence)


def test_paused_raters_are_counted_with_the_page_that_resumes_them(
    measured: Campaign, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    RaterStanding.objects.create(campaign=measured, rater=rosa, paused_at=NOON)

    page = page_of(measured, signed_in(alice))

    assert "1 rater is paused and gets no items here." in page
    assert f'href="/campaigns/{measured.pk}/gold/">See who</a>' in page


def test_questions_without_an_answer_are_folded_into_one_line(
    measured: Campaign, alice: User, signed_in: SignedIn
) -> None:
    report = QualityReport.objects.get()
    questions = report.results["agreement"]["questions"]
    answered = {row["label"] for row in questions if row["alpha"]["note"] != NOT_ANSWERED}
    nothing = {"value": None, "low": None, "high": None, "n": 0, "note": NOT_ANSWERED}
    label = sorted(answered)[0]
    n_before = len(questions) - len(answered)
    for row in questions:
        if row["label"] == label:
            row |= {"alpha": row["alpha"] | nothing, "raw": row["raw"] | nothing}
    report.save()

    page = page_of(measured, signed_in(alice), "agreement")

    n = n_before + 1
    line = f"{n} question has no answers yet" if n == 1 else f"{n} questions have no answers yet"
    folded = page[page.index(line) : page.index("</details>", page.index(line))]
    assert label in folded
    assert f'<th scope="row">{label}</th>' not in page
    assert NOT_ANSWERED not in page
