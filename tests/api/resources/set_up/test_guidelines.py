"""Guidelines by API: a first version, the next ones, their questions and examples."""

from accounts.models import AuditEvent
from labeling.guidelines import rating_form
from labeling.models import Campaign, Guideline
from tests.api.resources.set_up.conftest import Api

QUESTIONS = [
    {"kind": "scale", "label": "How good is it?", "is_required": True},
    {"kind": "flag", "name": "made_up", "label": "Makes up facts", "help": "About anything"},
    {
        "kind": "scale",
        "label": "How bad?",
        "low": 1,
        "high": 3,
        "asked_if": {"question": "made_up"},
    },
]


def test_a_guideline_is_created_with_its_questions_and_examples(api: Api) -> None:
    example = {"answer": "Four.", "is_good": True, "why": "Short and right."}

    made = api.post(
        "guidelines",
        {"name": "Sums", "text": "# Add", "questions": QUESTIONS, "examples": [example]},
    )

    (version,) = api.rows(f"guidelines/{made.json()['id']}/versions")
    assert (made.status_code, made.json()["n_versions"]) == (201, 1)
    assert (version["number"], version["text"], version["is_major"]) == (1, "# Add", False)
    assert [question["name"] for question in version["questions"]] == [
        "how_good_is_it",
        "made_up",
        "how_bad",
    ]
    assert version["questions"][2]["asked_if"]["question"] == "made_up"
    assert version["examples"] == [example | {"prompt": ""}]
    assert AuditEvent.objects.get(target_type="labeling.guideline").by is not None


def test_without_questions_a_guideline_asks_the_usual_ones_and_with_an_empty_list_none(
    api: Api,
) -> None:
    api.post("guidelines", {"name": "Usual", "text": "x"})
    api.post("guidelines", {"name": "Writing", "text": "x", "questions": []})

    forms = {guideline.name: guideline.versions.get().form for guideline in Guideline.objects.all()}
    assert forms == {"Usual": rating_form.default().as_json, "Writing": {"questions": []}}


def test_a_next_version_keeps_what_is_left_out_and_takes_effect_in_its_campaigns(
    api: Api, demonstration_campaign: Campaign
) -> None:
    guideline = demonstration_campaign.guideline

    made = api.post(f"guidelines/{guideline.pk}/versions", {"text": "# New", "is_major": True})

    newest, first = api.rows(f"guidelines/{guideline.pk}/versions")
    demonstration_campaign.refresh_from_db()
    assert made.status_code == 201
    assert made.json() == newest
    assert (newest["number"], newest["text"], newest["is_major"]) == (2, "# New", True)
    assert newest["questions"] == first["questions"]
    assert demonstration_campaign.guideline_version_id == newest["id"]
    assert [row["number"] for row in api.rows(f"guidelines/{guideline.pk}/versions?number=1")] == [
        1
    ]


def test_a_question_that_could_never_be_asked_is_refused_with_its_reason(api: Api) -> None:
    lost = {"kind": "flag", "label": "Why", "asked_if": {"question": "nothing"}}

    refused = api.post("guidelines", {"name": "Lost", "text": "x", "questions": [lost]})

    assert refused.status_code == 400
    assert refused.json()["errors"] == {
        "questions": ["`why` is asked if `nothing` is answered, which is no question before it."]
    }
    assert not Guideline.objects.exists()


def test_a_guideline_has_a_name_of_its_own(api: Api, guideline: Guideline) -> None:
    refused = api.post("guidelines", {"name": guideline.name, "text": "x"})

    assert refused.json()["errors"] == {"name": ["Another guideline already has this name."]}
