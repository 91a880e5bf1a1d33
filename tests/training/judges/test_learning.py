"""Verdicts of judges in snapshots: none by default, those that stand, or all with weights."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from arithmetic import intervals
from labeling.models import Campaign, Item, Judgment, Prompt, Rater
from labeling.queue import items
from tests.labeling.answers import words
from tests.training.cast import a_model as a_language_model
from tests.training.cast import a_run
from tests.training.judges.conftest import NOW, a_judge, a_model, started
from tests.training.judges.judge_stub import JudgeStub
from tests.training.judges.test_pages import words_of
from tests.training.judges.test_sparing import revoke, trusted
from tests.training.judges.test_trust import (
    a_rule,
    drawn,
    judge,
    judges_everything,
    many,
    rosa,
    vote,
)
from training.judges import trust
from training.models import Judge, Run, Snapshot, TrainedModel, TrustLook, TrustRule, Verdict
from training.registry.archive import cards
from training.snapshots import selectors
from training.snapshots import services as snapshots_services
from training.snapshots.contents.filters import Filters
from training.verdicts import calibration, learnable, standing

pytestmark = pytest.mark.django_db
__all__ = ["judge", "many", "rosa", "trusted"]
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def cut(noor: User) -> Callable[..., Snapshot]:
    def make(kind: str = "comparisons", **filters: Any) -> Snapshot:
        return snapshots_services.create_snapshot(
            kind=kind, name="a snapshot", filters=Filters(**filters), by=noor, now=LATER
        )

    return make


def rows_of(snapshot: Snapshot, settings: LazySettings, split: str = "train") -> list[Any]:
    path = Path(settings.SNAPSHOTS_DIR) / snapshot.folder / f"{split}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def of_judges(snapshot: Snapshot, settings: LazySettings) -> dict[int, Any]:
    """Item → the row of its verdict."""
    rows = [row for row in rows_of(snapshot, settings) if "judge" in row]
    judgments = Judgment.of_everyone.in_bulk([row["judgment"] for row in rows])
    return {judgments[row["judgment"]].item_id or 0: row for row in rows}


def others(judge: Judge) -> list[Item]:
    """Neither calibration pairs nor audits."""
    version = judge.versions.get()
    rest = judge.campaign.items.exclude(pk__in=[item.pk for item in drawn(judge)])
    return [item for item in rest.order_by("pk") if not standing.is_audit(version, item.pk)]


def test_by_default_a_snapshot_is_of_people_only(
    many: Campaign,
    server: JudgeStub,
    rosa: Rater,
    noor: User,
    alice: User,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
) -> None:
    """Before there is a judge, and once one has answered everything and is trusted."""
    vote(rosa, many.items.order_by("pk")[:5], agrees=lambda: True)
    before = cut(), cut("unpaired")

    judge = started(a_judge(many, a_model(server.url, noor), alice), alice)
    judges_everything(judge)
    vote(rosa, many.items.exclude(judgments__rater=rosa), agrees=lambda: True)
    a_rule(judge, alice)
    trust.advance(now=LATER)
    Judgment.of_people.filter(item__in=many.items.order_by("pk")[5:]).update(is_extra=True)
    after = cut(), cut("unpaired", judges="none")

    for old, new in zip(before, after, strict=True):
        assert (new.fingerprint, new.filters) == (old.fingerprint, old.filters)
        assert json.dumps(new.card) == json.dumps(old.card)
        assert "judges" not in new.filters
        assert "verdicts" not in new.card


def test_where_it_is_trusted_a_judge_decides_what_nobody_answered(
    trusted: Judge, rosa: Rater, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    left = others(trusted)
    vote(rosa, left[:3], agrees=lambda: False)
    flip = left[3]
    Verdict.objects.filter(item=flip).update(judgment=None)
    look = TrustLook.objects.get()
    version = trusted.versions.get()

    snapshot = cut(judges="trusted")

    found = of_judges(snapshot, settings)
    assert found.keys() == {item.pk for item in left[4:]}
    assert all(
        row["judge"] == {"version": version.pk, "look": look.pk, "confidence": 1.0}
        and row["weight"] == 1
        and [response["rank"] for response in row["responses"]] == [1, 2]
        for row in found.values()
    )
    assert snapshot.n_rows == 103 + len(found)
    assert snapshot.card["raters"] == 1
    shares = snapshot.card["verdicts"]
    assert shares["people"]["rows"] == 103
    (of_judge,) = shares["judges"]
    assert (of_judge["version"], of_judge["look"]) == (version.pk, look.pk)
    assert (of_judge["rows"], of_judge["weight"]) == (len(found), 1)
    assert of_judge["share"] == round(len(found) / snapshot.n_rows, 4)
    assert of_judge["sha256"] == version.sha256
    assert snapshot.memberships.filter(judgment__rater=trusted.rater).count() == len(found)


def test_good_and_bad_responses_come_from_verdicts_too(
    trusted: Judge, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    rows = rows_of(cut("unpaired", judges="trusted"), settings)
    by_judge = [row for row in rows if "judge" in row]

    assert len(by_judge) == 2 * len(others(trusted))
    assert {row["label"] for row in by_judge} == {True, False}


def test_without_a_look_a_verdict_counts_as_far_as_the_judge_agrees_with_people(
    judge: Judge, rosa: Rater, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    answers = iter([True] * 90 + [False] * 10)
    vote(rosa, drawn(judge)[:100], agrees=lambda: next(answers))
    version = judge.versions.get()
    counts = learnable.weight(version=version)

    snapshot = cut(judges="weighted")

    assert not of_judges(cut(judges="trusted"), settings)
    found = of_judges(snapshot, settings)
    assert found.keys() == {item.pk for item in others(judge)}
    assert 0.5 < counts < 2 * 0.9 - 1
    assert {row["weight"] for row in found.values()} == {counts}
    assert {row["judge"]["look"] for row in found.values()} == {None}
    (of_judge,) = snapshot.card["verdicts"]["judges"]
    assert (of_judge["look"], of_judge["weight"]) == (None, counts)
    sum_of_weights = 100 + counts * len(found)
    assert of_judge["share_of_weight"] == round(counts * len(found) / sum_of_weights, 4)


def test_a_verdict_without_trust_counts_as_far_as_people_agree_with_others_like_it(
    many: Campaign,
    server: JudgeStub,
    rosa: Rater,
    noor: User,
    alice: User,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
) -> None:
    """A judge is sure of every second pair, where people always agree, and of the others half as
    often as not.
    """
    unsure = set(many.items.order_by("pk").values_list("pk", flat=True)[::2])
    judge = started(a_judge(many, a_model(server.url, noor), alice, asks_probabilities=True), alice)
    judges_everything(judge)
    for label in "AB":
        of_label = Verdict.objects.filter(label=label)
        of_label.update(log_probabilities={label: -0.01})
        of_label.filter(item__in=unsure).update(log_probabilities={label: -0.5})
    a_rule(judge, alice)
    calibrated = drawn(judge)
    vote(rosa, [one for one in calibrated if one.pk not in unsure], agrees=lambda: True)
    answers = itertools.cycle([True, True, True, True, False])
    vote(rosa, [one for one in calibrated if one.pk in unsure], agrees=lambda: next(answers))
    version = judge.versions.get()
    of_all = learnable.weight(version=version)
    TrustLook.objects.create(
        version=version,
        slice="",
        number=1,
        outcome=TrustLook.Outcome.GRANTED,
        n_pairs=100,
        target=0.8,
        error=0.01,
        threshold=0.9,
        n=50,
        n_agreed=50,
        created_at=LATER,
    )

    found = of_judges(cut(judges="weighted"), settings)

    weights = {item: row["weight"] for item, row in found.items() if row["judge"]["look"] is None}
    assert weights.keys() == {one.pk for one in others(judge) if one.pk in unsure}
    n = sum(one.pk in unsure for one in calibrated)
    n_agreed = sum(itertools.islice(itertools.cycle([1, 1, 1, 1, 0]), n))
    lowest = intervals.wilson(n_agreed, n, intervals.student(n))[0]
    assert set(weights.values()) == {learnable.weight(version=version)}
    assert learnable.weight(version=version) == pytest.approx(2 * lowest - 1, abs=0.03)
    assert learnable.weight(version=version) < of_all - 0.1


def test_a_held_pair_teaches_nothing(
    trusted: Judge, judge: Judge, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    held = others(trusted)[0]
    items.hold(item_ids=[held.pk], now=LATER)

    for judges in ("trusted", "weighted"):
        assert held.pk not in of_judges(cut(judges=judges), settings)
    TrustRule.objects.update(is_on=False)
    assert held.pk not in of_judges(cut(judges="weighted"), settings)


@pytest.mark.parametrize("n", [29, 100])
def test_a_judge_that_is_unknown_or_guesses_counts_nothing(
    judge: Judge, rosa: Rater, cut: Callable[..., Snapshot], settings: LazySettings, n: int
) -> None:
    answers = iter([n < 30, True] * 50)
    vote(rosa, drawn(judge)[:n], agrees=lambda: next(answers))

    snapshot = cut(judges="weighted")

    assert not of_judges(snapshot, settings)
    left_out = snapshot.card["left_out"]
    words = "verdict of a judge that is no better than chance, or too little known"
    assert left_out[words] == len(others(judge))
    assert snapshot.card["verdicts"]["judges"] == []


def test_what_stands_counts_the_same_among_all_verdicts(
    trusted: Judge, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    assert of_judges(cut(judges="weighted"), settings) == of_judges(cut(judges="trusted"), settings)


def test_once_trust_is_taken_back_no_snapshot_has_its_verdicts(
    trusted: Judge,
    rosa: Rater,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert of_judges(cut(judges="trusted"), settings)
    monkeypatch.setattr(calibration, "AUDITED", 0.5)
    version = trusted.versions.get()
    rest = trusted.campaign.items.exclude(pk__in=[item.pk for item in drawn(trusted)])
    audits = [item for item in rest if standing.is_audit(version, item.pk)]
    vote(rosa, audits, agrees=lambda: False, at=LATER + timedelta(minutes=1))
    trust.advance(now=LATER + timedelta(hours=1))
    assert TrustLook.objects.filter(number=0).exists()

    after = cut(judges="weighted")

    assert not of_judges(cut(judges="trusted"), settings)
    assert not of_judges(after, settings)
    assert after.card["left_out"]["verdict whose trust was taken back"] == len(others(trusted))


def test_a_withdrawn_judge_is_in_no_snapshot(
    trusted: Judge, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    Rater.everyone.filter(pk=trusted.rater_id).update(withdrawn_at=NOW)

    assert not of_judges(cut(judges="weighted"), settings)


def test_models_are_measured_on_people_only(
    trusted: Judge, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    held_out = others(trusted)[0]
    Prompt.objects.filter(pk=held_out.prompt_id).update(split="test")

    snapshot = cut(judges="trusted")

    assert held_out.pk not in of_judges(snapshot, settings)
    assert not any("judge" in row for row in rows_of(snapshot, settings, "test"))
    assert snapshot.card["left_out"]["verdict on a prompt that evaluates"] >= 1


def test_an_extra_answer_wins_where_the_filters_take_it(
    trusted: Judge, rosa: Rater, cut: Callable[..., Snapshot], settings: LazySettings
) -> None:
    item = others(trusted)[0]
    vote(rosa, [item], agrees=lambda: False)
    Judgment.of_people.filter(item=item).update(is_extra=True)

    assert item.pk in of_judges(cut(judges="trusted"), settings)
    assert item.pk not in of_judges(cut(judges="trusted", includes_extra=True), settings)


def test_of_two_judges_the_one_that_stands_decides(
    trusted: Judge,
    many: Campaign,
    server: JudgeStub,
    noor: User,
    alice: User,
    cut: Callable[..., Snapshot],
    settings: LazySettings,
) -> None:
    second = started(a_judge(many, a_model(server.url, noor, name="other"), alice), alice)
    judges_everything(second)
    first = trusted.versions.get()

    snapshot = cut(judges="weighted")

    assert {row["judge"]["version"] for row in of_judges(snapshot, settings).values()} >= {first.pk}
    both = [item for item in others(trusted) if item in others(second)]
    found = of_judges(snapshot, settings)
    assert both
    assert {found[item.pk]["judge"]["version"] for item in both} == {first.pk}
    assert snapshot.card["left_out"]["another judge's verdict on the pair"] == len(both)


def test_the_form_and_the_api_take_the_same_filter(
    trusted: Judge, noor: User, settings: LazySettings
) -> None:
    client = Client()
    client.force_login(noor, backend="accounts.login.sessions.Backend")
    form = {"name": "by form", "includes_imports": "on", "judges": "trusted"}
    answer = client.post("/snapshots/new/?kind=comparisons", form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    by_form = Snapshot.objects.get()
    page = client.get(f"/snapshots/{by_form.pk}/").content.decode()
    look = TrustLook.objects.get()
    assert "allowed by look 1" in page
    assert "#look-" not in page  # a page of admins
    assert "People, and judges where they are trusted".lower() in page.lower()
    pages = [client.get(f"/snapshots/{by_form.pk}/rows/?page={n}") for n in range(1, 13)]
    assert any("verdict of an AI judge, allowed by look 1" in words(one) for one in pages)
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    there = f"/campaigns/{trusted.campaign_id}/judges/"
    assert f'href="{there}#look-{look.pk}"' in client.get(f"/snapshots/{by_form.pk}/").text
    assert f'id="look-{look.pk}"' in client.get(there).text

    answer = client.post(
        "/api/v1/snapshots",
        {"kind": "comparisons", "name": "by API", "filters": {"judges": "trusted"}},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    by_api = Snapshot.objects.latest("pk")
    assert by_api.fingerprint == by_form.fingerprint
    assert by_api.filters["judges"] == "trusted"


def test_the_page_lists_the_runs_that_learned_from_a_look_taken_back(
    trusted: Judge, noor: User, alice: User, cut: Callable[..., Snapshot]
) -> None:
    of_people = run_on(noor, cut(), name="of people only")
    learned = run_on(noor, cut(judges="trusted"), name="of the judge too")
    client = Client()
    client.force_login(alice, backend="accounts.login.sessions.Backend")
    assert learned.name not in words_of(client, trusted.campaign)
    of_run = Client()
    of_run.force_login(noor, backend="accounts.login.sessions.Backend")
    page = of_run.get(f"/runs/{learned.pk}/").content.decode()
    assert "allowed by look 1" in page

    revoke(trusted)

    page = words_of(client, trusted.campaign)
    assert "These runs learned from verdicts of this look: of the judge too" in page
    assert of_people.name not in page
    Rater.everyone.filter(pk=trusted.rater_id).update(withdrawn_at=NOW)
    page = words_of(client, trusted.campaign)
    assert "These runs learned from its verdicts: of the judge too" in page


def test_the_card_of_a_model_says_how_much_judges_decided(
    trusted: Judge, noor: User, cut: Callable[..., Snapshot]
) -> None:
    snapshot = cut(judges="trusted")
    run = run_on(noor, snapshot, name="learned")
    model = a_language_model(noor, name="its model")
    TrainedModel.objects.filter(pk=model.pk).update(run=run, parent=run.base_model)
    model.refresh_from_db()

    (of_judge,) = snapshot.card["verdicts"]["judges"]
    share = f"{trusted} version 1 ({100 * of_judge['share']:.1f} % of the rows that train"
    assert share in cards.generated_card(model=model)
    assert "allowed by look 1" in cards.generated_card(model=model)


def run_on(by: User, snapshot: Snapshot, *, name: str) -> Run:
    run = a_run(by, name=name)
    run.snapshot = snapshot
    run.save(update_fields=["snapshot"])
    return run


def test_shares_are_rounded_and_not_cut_off(trusted: Judge, cut: Callable[..., Snapshot]) -> None:
    snapshot = cut(judges="trusted")
    snapshot.card["verdicts"]["people"] |= {"rows": 1000, "share": 0.4651, "share_of_weight": 0.46}
    snapshot.card["verdicts"]["judges"][0] |= {"share": 0.5349, "share_of_weight": 0.5349}

    people, of_judge = selectors.shares(snapshot=snapshot)

    assert people.words == "1,000 (46.5 %), 46.0 % of the weight"
    assert of_judge.words.endswith("(53.5 %)")
