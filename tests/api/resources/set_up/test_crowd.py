"""Crowd links by API."""

from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent
from labeling.campaigns import services as campaigns_services
from labeling.models import Campaign, CrowdLink
from labeling.people.crowd import services as crowd_services
from tests.api.resources.set_up.conftest import Api


def test_a_link_is_created_that_a_platform_can_use_and_is_closed(
    api: Api, demonstration_campaign: Campaign
) -> None:
    body = {
        "campaign": demonstration_campaign.pk,
        "name": "Study 1",
        "completion_code": "C0FFEE",
        "n_items": 3,
    }

    made = api.post("crowd-links", body)
    link = CrowdLink.objects.get()
    crowd_services.begin_visit(link=link, external_id="worker-7", now=timezone.now())
    row = api.get(f"crowd-links/{link.pk}").json()
    closed = api.post(f"crowd-links/{link.pk}/close").json()

    assert made.status_code == 201
    assert made.json()["url"] == f"http://testserver/crowd/{link.token}/?PROLIFIC_PID="
    assert Client().get(made.json()["url"] + "worker-8").status_code == 200
    assert (row["n_working"], row["n_complete"], row["n_items"]) == (1, 0, 3)
    assert "worker-7" not in str(row)
    assert closed["is_open"] is False
    assert AuditEvent.objects.filter(target_type="labeling.crowdlink").count() == 2
    assert api.rows(f"crowd-links?campaign={demonstration_campaign.pk}") == [closed]


def test_a_closed_campaign_gets_no_link(api: Api, demonstration_campaign: Campaign) -> None:
    campaigns_services.close_campaign(campaign=demonstration_campaign, by=None, now=timezone.now())
    body = {"campaign": demonstration_campaign.pk, "name": "Late", "completion_code": "x"}

    refused = api.post("crowd-links", body)

    assert list(refused.json()["errors"]) == ["campaign"]
