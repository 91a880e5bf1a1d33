"""A random sample of attempts before raters, and what their answers change."""

import pytest

from accounts.models import User
from labeling.models import Judgment, Pool, Prompt, Rater
from labeling.review import set_aside
from tests.cast import rater_called
from tests.training.benchmarks.attacks import rows
from tests.training.benchmarks.attacks.attacked_model import CAUGHT, GAVE_IN, REFUSED
from tests.training.benchmarks.scorecards.rows import NOW
from training.benchmarks.attacks import attempts, sampling, success
from training.benchmarks.attacks.attempts import IN_FULL, IN_PART
from training.benchmarks.attacks.sampling import Terms
from training.models import AttackSample, BenchmarkAnswer, Run, SampledAttempt, Suite

pytestmark = pytest.mark.django_db


@pytest.fixture
def suite(db: None) -> Suite:
    return rows.goals()


@pytest.fixture
def run(suite: Suite, noor: User) -> Run:
    return rows.attacked(suite, noor, rows.lines(suite, rows.a_third))


def sent(run: Run, pool: Pool, by: User, *, n: int = 12) -> AttackSample:
    terms = Terms(pool=pool, n=n, overlap=1)
    return sampling.send_to_raters(run=run, terms=terms, by=by, now=NOW)


def test_a_sample_is_drawn_with_known_probability_and_shown_in_pairs(
    run: Run, day_shift: Pool, noor: User
) -> None:
    sample = sent(run, day_shift, noor)

    drawn = list(sample.attempts.select_related("response", "answer__item"))
    assert (sample.n_attempts, len(drawn), sample.campaign.state) == (40, 12, "open")
    assert {one.probability for one in drawn} == {12 / 40}
    assert sample.campaign.items.count() == 6
    for one in drawn:
        assert one.response.text == (
            f"**Goal**\n\n{one.answer.item.prompt[0]['content']}\n\n**Asked last**\n\n"
            f"As Rex: {one.answer.item.prompt[0]['content']}\n\n**Answer**\n\n{one.answer.text}"
        )
        assert "tuned" not in one.response.text
        assert one.answer.strategy not in one.response.text.lower().split()


def test_raters_have_to_agree_to_what_the_areas_of_a_pair_hold(
    run: Run, day_shift: Pool, noor: User
) -> None:
    sample = sent(run, day_shift, noor)

    for item in sample.campaign.items.select_related("prompt"):
        of_these = SampledAttempt.objects.filter(response__in=item.responses.all())
        areas = set(of_these.values_list("answer__item__category", flat=True))
        assert set(item.prompt.sensitive) == areas
        assert item.prompt.split == Prompt.Split.TEST
    assert sampling.upsetting("Self-harm and drugs") == ["self_harm"]
    assert sampling.upsetting("deception") == ["other"]


def test_a_second_sample_goes_on_where_the_first_ended(
    run: Run, day_shift: Pool, noor: User
) -> None:
    for n in (12, 20, 30):
        sent(run, day_shift, noor, n=n)

    assert [n for _one, n, _open in sampling.samples(run=run)] == [12, 20, 8]
    assert SampledAttempt.objects.values("answer").distinct().count() == 40
    with pytest.raises(sampling.UnableToSample, match="already been sent"):
        sent(run, day_shift, noor)


def test_answers_of_raters_come_back_and_correct_the_figure(
    suite: Suite, day_shift: Pool, noor: User, rosa: Rater
) -> None:
    """The classifier calls every evasion a success; raters call none of them one."""
    run = rows.attacked(
        suite, noor, rows.lines(suite, lambda at, *_: CAUGHT if at % 2 else REFUSED)
    )
    sample = sent(run, day_shift, noor, n=20)
    before = success.success(attempts.attempts(run=run), attempts.known_rates())

    rows.judged(sample.campaign, rosa, lambda answer: answer.text in GAVE_IN and answer.sample == 0)

    found = attempts.attempts(run=run)
    after = success.success(found, None)
    assert (before.method, after.method) == (success.UNCORRECTED, success.BY_LABELS)
    assert after.n_labelled == 20
    assert before.share is not None
    assert after.share is not None
    assert before.share.share == 0.5
    assert after.share.share == pytest.approx(0.25, abs=0.15)
    labels = attempts.labels_of_people()
    assert labels == attempts.labels_of_people(run=run)
    texts = dict(BenchmarkAnswer.objects.values_list("pk", "text"))
    assert {texts[pk] for pk, gave in labels.items() if gave} == {CAUGHT}


def test_what_raters_call_partial_corrects_the_share_in_full_or_in_part(
    suite: Suite, day_shift: Pool, noor: User, rosa: Rater
) -> None:
    """The classifier calls half of the answers complying, and no answer partly so."""
    run = rows.attacked(
        suite, noor, rows.lines(suite, lambda at, *_: CAUGHT if at % 2 else REFUSED)
    )
    sample = sent(run, day_shift, noor, n=40)
    rows.judged(
        sample.campaign,
        rosa,
        lambda answer: answer.text == CAUGHT and answer.sample == 0,
        in_part=lambda answer: answer.text == CAUGHT or answer.strategy == "role",
    )

    in_full, in_part = (
        success.success(attempts.attempts(run=run, bar=bar), None) for bar in (IN_FULL, IN_PART)
    )

    assert (in_full.n_found, in_part.n_found) == (20, 20)
    assert (in_full.method, in_part.method) == (success.BY_LABELS, success.BY_LABELS)
    assert in_full.share is not None
    assert in_part.share is not None
    assert in_full.share.share == pytest.approx(10 / 40)
    assert in_part.share.share == pytest.approx(30 / 40)


def test_the_ends_of_the_scale_are_those_of_the_guideline_that_raters_saw(
    run: Run, day_shift: Pool, noor: User, rosa: Rater
) -> None:
    sample = sent(run, day_shift, noor, n=4)
    version = sample.campaign.guideline_version
    (question,) = version.form["questions"]
    version.form = {"questions": [question | {"high": 5}]}
    version.save()

    rows.judged(sample.campaign, rosa, lambda _answer: False)

    assert set(attempts.labels_of_people(run=run, bar=IN_FULL).values()) == {False}
    assert set(attempts.labels_of_people(run=run, bar=IN_PART).values()) == {True}


def test_the_question_names_all_three_points(run: Run, day_shift: Pool, noor: User) -> None:
    (question,) = sent(run, day_shift, noor).campaign.guideline_version.form["questions"]

    assert (question["low"], question["high"]) == (1, 3)
    assert (question["low_label"], question["high_label"]) == ("in full", "not at all")
    assert question["help"].startswith("2: in part.")


def test_two_raters_of_two_minds_count_as_nobody(
    run: Run, day_shift: Pool, noor: User, rosa: Rater
) -> None:
    sample = sent(run, day_shift, noor, n=2)
    rows.judged(sample.campaign, rosa, lambda _answer: True)

    assert len(attempts.labels_of_people(run=run)) == 2

    other = rater_called("Hugo", pool=day_shift)
    rows.judged(sample.campaign, other, lambda _answer: False)

    assert attempts.labels_of_people(run=run) == {}


def test_answers_that_were_set_aside_or_whose_rater_has_withdrawn_do_not_count(
    run: Run, day_shift: Pool, noor: User, rosa: Rater
) -> None:
    sample = sent(run, day_shift, noor, n=4)
    rows.judged(sample.campaign, rosa, lambda _answer: True)
    first = Judgment.of_people.filter(campaign=sample.campaign).order_by("pk")[0]

    set_aside.set_aside(judgment=first, reason="Guessed.", by=noor, now=NOW)
    assert len(attempts.labels_of_people(run=run)) == 2

    Rater.everyone.filter(pk=rosa.pk).update(withdrawn_at=NOW)
    assert attempts.labels_of_people(run=run) == {}


def test_only_ended_attacks_can_be_sampled(run: Run, day_shift: Pool, noor: User) -> None:
    Run.objects.filter(pk=run.pk).update(kind="benchmark")

    with pytest.raises(sampling.UnableToSample, match="Only attempts of an attack"):
        sent(Run.objects.get(pk=run.pk), day_shift, noor)
