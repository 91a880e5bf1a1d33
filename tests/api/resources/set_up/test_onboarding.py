"""Onboarding by API: steps, their questions and versions, and decisions about attempts."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from labeling.models import Guideline, OnboardingStep, Pool, Rater, StepAttempt
from labeling.people.onboarding import services
from tests.api.resources.set_up.conftest import Api

QUIZ = {"text": "Is 2 + 2 = 4?", "choices": ["Yes", "No"], "right": 0}
RANKING = {"prompt": "1 + 1?", "responses": ["2", "3"], "ranks": [1, 2]}
FLAGS = {"prompt": "Hi", "response": "Go away", "is_sensitive": True}


FIELDS = "A question of this step has these fields: {}."


def step(api: Api, pool: Pool, kind: str, **fields: object) -> Any:
    return api.post("steps", {"pool": pool.pk, "kind": kind} | fields)


def test_a_step_of_every_kind_is_added_in_order(
    api: Api, day_shift: Pool, guideline: Guideline
) -> None:
    asked: list[tuple[str, dict[str, object]]] = [
        ("consent", {"text": "We store your answers."}),
        ("profile", {"questions": [{"text": "Region?", "choices": ["North", "South"]}]}),
        ("guideline", {"guideline": guideline.pk, "questions": [QUIZ]}),
        ("flags", {"questions": [FLAGS], "passing_score": 80}),
        ("rankings", {"questions": [RANKING]}),
        ("demonstrations", {"questions": [{"prompt": "Write a haiku."}], "passing_score": 5.5}),
        ("topics", {"questions": [{"topic": "summarization"}, {"topic": "chess"}]}),
    ]

    made = [step(api, day_shift, kind, **fields) for kind, fields in asked]

    rows = sorted(api.rows(f"steps?pool={day_shift.pk}"), key=lambda row: row["position"])
    assert [response.status_code for response in made] == [201] * len(asked)
    assert [row["kind"] for row in rows] == [kind for kind, _fields in asked]
    assert [row["passing_score"] for row in rows] == [None, None, 75, 80, 75, 5.5, None]
    for row, (_kind, fields) in zip(rows, asked, strict=True):
        assert row["version"]["questions"] == fields.get("questions", [])
    assert AuditEvent.objects.filter(action="add_step").count() == len(asked)


@pytest.mark.parametrize(
    ("kind", "fields", "errors"),
    [
        (
            "guideline",
            {"questions": [{"text": "Is it?", "choices": ["Yes", "No"]}]},
            {
                "questions.0": [
                    "A question of this step has these fields: `choices`, `right`, `text`."
                ]
            },
        ),
        (
            "flags",
            {"questions": [QUIZ]},
            {"questions.0": [FIELDS.format("`is_sensitive`, `prompt`, `response`")]},
        ),
        (
            "rankings",
            {"questions": [RANKING | {"ranks": [1]}]},
            {"questions.0": ["`ranks` must be a list of 2 numbers, one per response."]},
        ),
        ("rankings", {}, {"questions": ["Add at least one question."]}),
        ("consent", {"text": ""}, {"text": ["This field is required."]}),
        (
            "consent",
            {"text": "x", "passing_score": 50},
            {"passing_score": ["This does not apply here. Leave it out."]},
        ),
        (
            "profile",
            {"questions": [{"text": "Region?", "choices": ["North", " "]}]},
            {"questions.0.choices.1": ["This field may not be blank."]},
        ),
    ],
)
def test_a_step_that_could_not_be_taken_is_refused_with_its_reason(
    api: Api, day_shift: Pool, kind: str, fields: dict[str, object], errors: object
) -> None:
    refused = step(api, day_shift, kind, **fields)

    assert refused.status_code == 400
    assert refused.json()["errors"].items() >= errors.items()  # type: ignore[attr-defined]
    assert not OnboardingStep.objects.exists()


def test_a_changed_question_becomes_the_next_version_and_the_rest_stays(
    api: Api, day_shift: Pool
) -> None:
    made = step(api, day_shift, "rankings", questions=[RANKING], title="Rank").json()
    path = f"steps/{made['id']}"

    cut = api.patch(path, {"passing_score": 60}).json()
    changed = api.patch(path, {"questions": [RANKING, RANKING | {"prompt": "2 + 0?"}]}).json()

    assert (cut["passing_score"], cut["version"]["number"]) == (60, 1)
    assert (changed["passing_score"], changed["version"]["number"]) == (60, 2)
    assert changed["version"]["title"] == "Rank"
    assert [row["number"] for row in api.rows(f"{path}/versions")] == [2, 1]


def test_a_step_is_moved_and_retired(api: Api, day_shift: Pool) -> None:
    first = step(api, day_shift, "consent", text="Yes?").json()["id"]
    second = step(api, day_shift, "rankings", questions=[RANKING]).json()["id"]

    moved = api.post(f"steps/{second}/move", {"places": -1}).json()
    retired = api.post(f"steps/{first}/retire").json()
    refused = api.patch(f"steps/{first}", {"title": "New"})

    assert moved["position"] == 0
    assert retired["retired_at"] is not None
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "This step is retired. Add a new one.",
    )
    assert [row["id"] for row in api.rows("steps")] == [second]
    assert [row["id"] for row in api.rows("steps?is_retired=true")] == [first]


@pytest.fixture
def attempt(api: Api, day_shift: Pool, rosa: Rater) -> StepAttempt:
    questions = [{"prompt": "Write a haiku."}, {"prompt": "Write a limerick."}]
    made = step(api, day_shift, "demonstrations", questions=questions, passing_score=5).json()
    return services.submit_step(
        step=OnboardingStep.objects.get(pk=made["id"]),
        rater=rosa,
        version=1,
        answers=["Five, seven, five.", "There once was a rater."],
        now=timezone.now(),
    )


def test_a_demonstration_is_scored_and_passes_at_the_score(
    api: Api, attempt: StepAttempt, rosa: Rater
) -> None:
    (row,) = api.rows("attempts?state=waiting")
    few = api.post(f"attempts/{attempt.pk}/score", {"scores": [6]})
    scored = api.post(f"attempts/{attempt.pk}/score", {"scores": [6, 5]}).json()

    assert (row["alias"], row["answers"]) == (rosa.alias, attempt.answers)
    assert few.json()["errors"] == {"scores": ["Send 2 scores, one for each demonstration."]}
    assert (scored["state"], scored["score"]) == ("passed", 5.5)


def test_an_attempt_is_decided_with_words_to_the_rater(api: Api, attempt: StepAttempt) -> None:
    body = {"decision": "again", "words": "Count the syllables."}

    decided = api.post(f"attempts/{attempt.pk}/decide", body).json()

    assert (decided["state"], decided["may_retry"], decided["decision"]) == (
        "below",
        True,
        "Count the syllables.",
    )
    assert AuditEvent.objects.filter(action="decide").count() == 1
    assert api.rows(f"attempts?rater={attempt.rater_id}&state=waiting") == []
