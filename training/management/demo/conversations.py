"""The demo's conversation campaign: the rater talks with the demo's model."""

from datetime import datetime

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.campaigns.conversation_plan import Plan, SourceShare
from labeling.guidelines import services as guidelines_services
from labeling.kinds.conversation import ConversationSettings, TalkSettings
from labeling.models import Campaign, Guideline, Pool, Prompt
from training.management import demo
from training.models import TrainedModel

NAME = "Talking with a model"
N_CONVERSATIONS = 12
# Two short answers take two cores a few seconds.
SETTINGS = TalkSettings(
    brief="Find out something you want to know, and check whether the answers hold.",
    min_turns=2,
    max_turns=6,
    max_new_tokens=64,
)


def begin(*, model: TrainedModel, pool: Pool, by: User, now: datetime) -> None:
    """Opens the campaign. Does nothing if it is there. Until now no model could answer in it."""
    if model.source is None or Campaign.objects.filter(name=NAME).exists():
        return
    guideline = Guideline.objects.filter(name=NAME).first()
    if guideline is None:
        text = (demo.FOLDER / "talking.md").read_text()
        guideline = guidelines_services.create_guideline(name=NAME, text=text, by=by, now=now)
    openings = Prompt.objects.filter(import_batch__file_name="prompts.jsonl").order_by("pk")
    campaign = campaigns_services.create_campaign(
        name=NAME,
        guideline=guideline,
        pool=pool,
        prompts=openings[:N_CONVERSATIONS],
        settings=ConversationSettings(n_responses=2, asks_strength=True),
        conversation=Plan([SourceShare(model.source, temperature=0.9)], SETTINGS),
        by=by,
        now=now,
    )
    campaigns_services.open_campaign(campaign=campaign, by=by, now=now)
