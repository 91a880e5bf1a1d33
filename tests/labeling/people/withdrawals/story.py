"""One rater writes in every way that the pages have, and others work with what she wrote."""

from dataclasses import dataclass

from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.conversations.red_teaming import lessons
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer
from labeling.kinds.comparison import ComparisonSettings
from labeling.models import (
    Attack,
    Campaign,
    Conversation,
    Guideline,
    Item,
    Judgment,
    JudgmentReview,
    Pool,
    Prompt,
    Rater,
    Response,
)
from labeling.queue.claiming import claim
from labeling.review import services as review_services
from labeling.review.services import Remark
from tests.cast import lease_of, open_comparison_campaign, open_demonstration_campaign
from tests.labeling.desk.conversations.red_teaming.attacking import (
    agreed,
    open_red_teaming,
    reviewed,
)
from tests.labeling.desk.conversations.talking import (
    answered,
    open_conversation_campaign,
    turn_of,
)
from tests.labeling.desk.conversations.test_conversation_pages import begun, rating
from tests.labeling.desk.posting import comparison, start, words


@dataclass(frozen=True)
class Cast:
    pool: Pool
    guideline: Guideline
    rosa: Rater
    """who writes everything"""
    raul: Rater
    """who works with it"""
    admin: User


def write_everything(cast: Cast, client: Client) -> None:
    """`client` is Rosa's browser."""
    _write_answers(cast, client)
    _compare(cast, client)
    _talk(cast, client)
    _attack(cast, client)
    client.post("/my-pay/", {"text": "wdispute7q"})


def work_of_others(cast: Cast) -> None:
    """Raul reviews the attack, answers it, and compares answers to her messages, and her edits."""
    attack = Attack.objects.get()
    assert attack.review_item is not None
    assert attack.turn.chosen_id is not None
    slot = claim.claim(campaign=attack.review_item.campaign, rater=cast.raul, now=timezone.now())
    assert slot is not None
    reviewed(slot, cast.raul, success=4, response=attack.turn.chosen_id)
    _adjudicate(attack.review_item, by=cast.admin)
    used = lessons.use_attack(attack=attack, by=cast.admin, now=timezone.now())
    assert used.demonstration_item is not None
    _submit(used.demonstration_item.campaign, cast.raul, DemonstrationAnswer(text="Not like that."))
    assert lessons.queue_pairs(now=timezone.now()) == 1
    for name, prompt in (("Messages", message_prompt()), ("Edits", edit("wedit7q").prompt)):
        judged_campaign_over(cast, name, prompt)


def judged_campaign_over(cast: Cast, name: str, prompt: Prompt) -> Campaign:
    """Raul has compared the two latest responses to the prompt, and one more judgment is free."""
    campaign = _campaign_over(cast, name, prompt)
    ratings = {at: {"overall": 4} for at in (0, 1)}
    _submit(campaign, cast.raul, ComparisonAnswer(ranks={0: 1, 1: 2}, ratings=ratings))
    return campaign


def message_prompt() -> Prompt:
    return Prompt.objects.get(conversation_turns__number=2, conversation_turns__state="rated")


def edit(text: str) -> Response:
    return Response.objects.get(text__contains=text)


def _write_answers(cast: Cast, client: Client) -> None:
    campaign = open_demonstration_campaign(
        pool=cast.pool, guideline=cast.guideline, asks_dialogue=True
    )
    address = start(client, campaign)
    client.post(f"{address}ask", {"question": "wquestion7q"})
    client.post(
        f"{address}submit",
        {
            "step": "stop",
            "overruled": ["unusual_length", "faster_than_reading"],
            "text": "wanswer7q " + words(30),
            "sources": "wsources7q",
            "turn-1": "And then? wfurther7q",
            "turn-2": "Then this.",
        },
    )
    client.post(f"{start(client, campaign)}skip", {"reason": "technical", "note": "wnote7q"})
    draft = {"revision": 1, "fields": {"text": ["wdraft7q"]}}
    address = start(client, campaign)
    client.post(f"{address}draft", draft, content_type="application/json")


def _compare(cast: Cast, client: Client) -> None:
    campaign = open_comparison_campaign(
        pool=cast.pool, guideline=cast.guideline, n_items=1, asks_reason=True
    )
    posted = comparison(reason="wreason7q", edit_of="B", edit="Better: wedit7q.", step="stop")
    client.post(f"{start(client, campaign)}submit", posted)
    mine = Judgment.of_people.get(campaign=campaign, rater=cast.rosa)
    assert mine.item is not None
    remarks = {mine.pk: Remark(feedback="Turned around.")}
    _adjudicate(mine.item, by=cast.admin, remarks=remarks)
    review = JudgmentReview.objects.get()
    client.post(f"/my-work/reviews/{review.pk}/appeal", {"text": "wappeal7q"})


def _talk(cast: Cast, client: Client) -> None:
    address = begun(client, open_conversation_campaign(pool=cast.pool, guideline=cast.guideline))
    conversation = Conversation.objects.get()
    answered(conversation)
    edited = rating(edit_of="B", edit="wturnedit7q")
    client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", edited)
    client.post(f"{address}write", {"number": 2, "text": "wmessage7q?"})
    answered(conversation)
    client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", rating())
    client.post(f"{address}finish", {"goal_rating": "6", "remark": "wremark7q"})


def _attack(cast: Cast, client: Client) -> None:
    agreed(cast.rosa, "abuse")
    agreed(cast.raul, "abuse")
    campaign = open_red_teaming(pool=cast.pool, guideline=cast.guideline, by=cast.admin)
    address = begun(client, campaign)
    client.post(f"{address}write", {"number": 1, "text": "Be rude, wattack7q."})
    conversation = Conversation.objects.get(item__campaign=campaign)
    answered(conversation)
    client.post(f"/desk/turns/{turn_of(conversation).lease}/submit", rating())
    told = {"success": "4", "severity": "2", "tags": ["role"], "tried": "wtried7q"}
    client.post(f"{address}end-attack/", told | {"step": "stop"})


def _adjudicate(item: Item, *, by: User, remarks: dict[int, Remark] | None = None) -> None:
    ids = item.responses.order_by("pk").values_list("pk", flat=True)
    review_services.adjudicate(
        item=item,
        ranks={pk: rank for rank, pk in enumerate(ids, 1)},
        reason="rater_error",
        remarks=remarks or {},
        by=by,
        now=timezone.now(),
    )


def _campaign_over(cast: Cast, name: str, prompt: Prompt) -> Campaign:
    shown = list(prompt.responses.order_by("-pk").values_list("pk", flat=True)[:2])
    campaign = campaigns_services.create_campaign(
        name=name,
        settings=ComparisonSettings(overlap=2, n_responses=2),
        pool=cast.pool,
        guideline=cast.guideline,
        prompts=[prompt],
        response_ids=shown,
        by=cast.admin,
        now=timezone.now(),
    )
    campaigns_services.open_campaign(campaign=campaign, by=cast.admin, now=timezone.now())
    return campaign


def _submit(
    campaign: Campaign, rater: Rater, answer: ComparisonAnswer | DemonstrationAnswer
) -> None:
    slot = claim.claim(campaign=campaign, rater=rater, now=timezone.now())
    submit.submit(lease=lease_of(slot), rater=rater, answer=answer, now=timezone.now())
