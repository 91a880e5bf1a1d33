"""People who come and go: crowd workers, who was invited, who signs in; and what admins do about
them.
"""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone

from labeling.models import Campaign, CrowdVisit, Invitation, Pool, Rater
from labeling.people.crowd import services as crowd_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.pools import services as pools_services
from labeling.queue.gold import scores
from tests.cast import cookies_of, rater_called
from tests.pages.stale.scenes.cast import admin, comparing, worker
from tests.pages.stale.walk import Scene, Stage, adds_to

SCENES: list[Scene] = []
scene = adds_to(SCENES)


@scene
def a_crowd_worker_at_work() -> Stage:
    return Stage(CrowdVisit.objects.get().rater, ["/crowd/done/"])


@scene
def a_crowd_worker_who_has_done_everything() -> Stage:
    visit = CrowdVisit.objects.get()
    judgments = visit.link.campaign.judgments.exclude(rater=visit.rater)
    judgments.update(rater=visit.rater, submitted_at=timezone.now())
    Campaign.objects.filter(pk=visit.link.campaign_id).update(state="closed")

    def the_time_is_up() -> None:
        crowd_services.time_out_visit(visit=visit, now=timezone.now())

    return Stage(visit.rater, ["/crowd/done/"], [the_time_is_up])


@scene
def a_crowd_worker_in_front_of_the_study() -> Stage:
    link = CrowdVisit.objects.get().link

    def the_link_is_closed() -> None:
        crowd_services.close_crowd_link(link=link, by=admin(), now=timezone.now())

    page = f"/crowd/{link.token}/?{link.id_parameter}=worker-2"
    return Stage(None, [page], changes=[the_link_is_closed])


@scene
def somebody_who_was_invited() -> Stage:
    invitees = [Invitee("isa@example.org", "Isa")]
    (sent,) = invitations_services.invite_to_pool(
        pool=comparing().pool, invitees=invitees, by=admin(), now=timezone.now()
    )

    def the_invitation_is_revoked() -> None:
        invitations_services.revoke_invitation(
            invitation=sent.invitation, by=admin(), now=timezone.now()
        )

    return Stage(None, [f"/join/{sent.secret}/"], changes=[the_invitation_is_revoked])


@scene
def a_rater_who_was_invited_to_another_pool() -> Stage:
    pool = Pool.objects.exclude(memberships__rater__user=worker())[0]
    (sent,) = invitations_services.invite_to_pool(
        pool=pool, invitees=[Invitee(worker().email, "")], by=admin(), now=timezone.now()
    )
    return Stage(worker(), [f"/join/{sent.secret}/"])


@scene
def an_invitation_that_waits() -> Stage:
    invitation = Invitation.objects.get()
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))

    def somebody_else_sends_it_again() -> None:
        invitations_services.resend_invitation(
            invitation=invitation, by=admin(), now=timezone.now()
        )

    page = f"/pools/{invitation.pool_id}/invitations/"
    return Stage(admin(), [page], [somebody_else_sends_it_again], is_one_act=True)


@scene
def somebody_with_a_second_factor_and_a_login_elsewhere() -> Stage:
    Authenticator.objects.create(user=worker(), type=Authenticator.Type.TOTP, data={})
    SocialAccount.objects.create(user=worker(), provider="company", uid="r-1")
    return Stage(admin(), [f"/people/{worker().pk}/"], is_one_act=True)


@scene
def somebody_who_is_logged_in_twice() -> Stage:
    for browser in ("One", "Two"):
        client = Client(headers={"user-agent": browser})
        client.cookies = cookies_of(worker())
        client.get("/profile/")
    return Stage(worker(), ["/profile/sessions/"])


@scene
def a_pool_with_people_inside_and_outside() -> Stage:
    pool = Pool.objects.get(name="New people")
    rater = rater_called("Rhea", pool=comparing().pool)

    def the_raters_change_pools() -> None:
        inside = list(Rater.everyone.filter(memberships__pool=pool))
        pools_services.remove_raters(pool=pool, raters=inside, by=admin(), now=timezone.now())
        pools_services.add_raters(pool=pool, raters=[rater], by=admin(), now=timezone.now())

    return Stage(admin(), [f"/pools/{pool.pk}/"], [the_raters_change_pools], is_one_act=True)


@scene
def a_rater_who_is_paused_in_a_campaign() -> Stage:
    for rater in Rater.everyone.filter(judgments__campaign=comparing()).distinct()[:2]:
        scores.pause_rater(campaign=comparing(), rater=rater, by=admin(), now=timezone.now())
    return Stage(admin(), [f"/campaigns/{comparing().pk}/gold/"], is_one_act=True)


@scene
def a_guideline_to_read() -> Stage:
    campaign = Campaign.objects.filter(kind="demonstration", state="open")[0]
    campaign.guideline_version.readings.all().delete()
    page = f"/guidelines/{campaign.guideline_id}/?for={campaign.pk}"
    return Stage(worker(), [page])
