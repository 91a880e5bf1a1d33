"""What admins do with data: imports that wait, campaigns that nobody has opened, golds, messages of
webhooks.
"""

from django.utils import timezone

from accounts.models import Delivery
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, Import, Source
from tests.cast import open_demonstration_campaign
from tests.pages.stale.scenes.cast import admin, comparing
from tests.pages.stale.walk import Scene, Stage, adds_to

SCENES: list[Scene] = []
scene = adds_to(SCENES)


@scene
def an_import_that_was_refused() -> Stage:
    batch = Import.objects.create(
        file_name="rivers.jsonl",
        path="",
        format="jsonl",
        source=Source.objects.create(name="rivers", kind=Source.Kind.IMPORT),
        licence="CC0-1.0",
        state=Import.State.REFUSED,
        is_strict=True,
        created_by=admin(),
    )
    page = f"/prompts/imports/{batch.pk}/"
    return Stage(admin(), [page, f"{page}discard/"])


@scene
def a_campaign_that_nobody_has_opened() -> Stage:
    campaign = open_demonstration_campaign(
        name="A draft", pool=comparing().pool, guideline=comparing().guideline
    )
    Campaign.objects.filter(pk=campaign.pk).update(state="draft", opened_at=None)

    def somebody_opens_it() -> None:
        campaigns_services.open_campaign(campaign=campaign, by=admin(), now=timezone.now())

    page = f"/campaigns/{campaign.pk}/"
    return Stage(admin(), [page, f"{page}discard"], [somebody_opens_it])


@scene
def golds_of_another_campaign() -> Stage:
    other = Campaign.objects.get(pk=comparing().pk)
    other.pk, other.name = None, "Another one"
    other.save()
    return Stage(admin(), [f"/campaigns/{other.pk}/gold/"])


@scene
def messages_that_were_sent() -> Stage:
    delivery, *others = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk__in=[other.pk for other in others]).delete()
    Delivery.objects.update(state="given_up", n_tries=9)
    return Stage(admin(), [f"/webhooks/{delivery.webhook_id}/"])
