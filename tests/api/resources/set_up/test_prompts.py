"""Prompts by API: marks, new versions and retirement."""

from accounts.models import AuditEvent
from labeling.models import Campaign, Prompt
from tests.api.resources.set_up.conftest import Api
from tests.cast import some_prompts

QUESTION = [{"role": "user", "content": "Name three rivers."}]


def test_upsetting_content_is_marked_without_a_new_version(api: Api) -> None:
    (prompt,) = some_prompts(1)

    marked = api.patch(f"prompts/{prompt.pk}", {"sensitive": ["violence"]}).json()

    assert (marked["id"], marked["sensitive"], marked["version"]) == (prompt.pk, ["violence"], 1)
    assert AuditEvent.objects.get(target_type="labeling.prompt").action == "mark_upsetting"


def test_a_new_version_replaces_a_prompt_and_its_items(
    api: Api, demonstration_campaign: Campaign
) -> None:
    item = demonstration_campaign.items.first()
    assert item is not None

    made = api.post(f"prompts/{item.prompt_id}/versions", {"messages": QUESTION})
    again = api.post(f"prompts/{item.prompt_id}/versions", {"messages": QUESTION})

    row = made.json()
    assert made.status_code == 201
    assert (row["version"], row["supersedes"], row["messages"]) == (2, item.prompt_id, QUESTION)
    assert row["licence"] == "CC0-1.0"
    assert demonstration_campaign.items.filter(prompt=row["id"]).exists()
    assert api.get(f"prompts/{item.prompt_id}").json()["retired_at"] is not None
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "This prompt is retired. Use its newest version.",
    )


def test_a_version_in_which_nothing_is_new_is_refused(api: Api) -> None:
    (prompt,) = some_prompts(1)

    refused = api.post(f"prompts/{prompt.pk}/versions")

    assert (refused.status_code, Prompt.objects.count()) == (409, 1)


def test_a_retired_prompt_is_listed_only_when_asked_for(api: Api) -> None:
    first, second = some_prompts(2)

    retired = api.post(f"prompts/{first.pk}/retire")

    assert retired.json()["retired_at"] is not None
    assert [row["id"] for row in api.rows("prompts")] == [second.pk]
    assert [row["id"] for row in api.rows("prompts?is_retired=true")] == [first.pk]
    assert api.post(f"prompts/{first.pk}/retire").status_code == 409
