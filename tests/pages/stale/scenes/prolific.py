"""Studies on Prolific, with submissions to review and bonuses to pay. The stub of its account is in
`presses.OUTSIDE`.
"""

from dataclasses import replace

from django.utils import timezone

from labeling.models import Campaign, CrowdLink, CrowdVisit
from labeling.people.crowd import services as crowd_services
from labeling.people.prolific import bonuses, polling
from labeling.people.prolific import services as prolific_services
from tests.labeling.people.prolific.conftest import PAGE, PLAN
from tests.labeling.people.prolific.prolific_stub import Prolific
from tests.pages.stale.presses import OUTSIDE
from tests.pages.stale.scenes.cast import admin
from tests.pages.stale.walk import Scene, Stage, adds_to

SCENES: list[Scene] = []
scene = adds_to(SCENES)


def new_link() -> CrowdLink:
    return crowd_services.create_crowd_link(
        campaign=Campaign.objects.filter(kind="demonstration", state="open")[0],
        name="Spring study",
        id_parameter="PROLIFIC_PID",
        completion_code="D0NE42",
        n_items=2,
        n_places=2,
        by=admin(),
        now=timezone.now(),
    )


def study(*acts: str) -> CrowdLink:
    link = new_link()
    made = prolific_services.connect(
        link=link, page=PAGE, plan=PLAN, by=admin(), now=timezone.now()
    )
    for act in acts:
        prolific_services.move_study(study=made, act=act, by=admin(), now=timezone.now())
    return link


def submitted(link: CrowdLink, number: str, state: str, **about: str) -> None:
    visit = crowd_services.begin_visit(link=link, external_id=f"p{number}", now=timezone.now())
    CrowdVisit.objects.filter(pk=visit.pk).update(
        state="complete", code="D0NE42", ended_at=timezone.now()
    )
    (account,) = OUTSIDE
    assert isinstance(account, Prolific)
    account.submit(f"s{number}", f"p{number}", state, **about)
    link.prolific_study.poll_due_at = timezone.now()
    link.prolific_study.save(update_fields=["poll_due_at"])
    polling.poll_study(study_id=link.prolific_study.pk, now=timezone.now())


@scene
def a_link_without_a_study() -> Stage:
    return Stage(admin(), [f"/crowd-links/{new_link().pk}/prolific/"])


@scene
def a_draft_of_a_study() -> Stage:
    link = study()
    page = f"/crowd-links/{link.pk}/prolific/"

    def another_draft_takes_its_place() -> None:
        at = timezone.now()
        prolific_services.disconnect(study=link.prolific_study, by=admin(), now=at)
        again = CrowdLink.objects.select_related("campaign").get(pk=link.pk)
        dearer = replace(PLAN, reward=900)
        prolific_services.connect(link=again, page=PAGE, plan=dearer, by=admin(), now=at)

    pages = [f"{page}publish/", f"{page}disconnect/"]
    return Stage(admin(), pages, changes=[another_draft_takes_its_place])


@scene
def a_study_on_prolific_with_submissions_to_review() -> Stage:
    link = study("publish")
    submitted(link, "1", "AWAITING REVIEW", study_code="D0NE42")
    submission = link.prolific_study.submissions.get()
    page = f"/crowd-links/{link.pk}/prolific/"
    places = [f"{page}{name}" for name in ("approve/", "places/?n_places=20", "pause/")]
    return Stage(admin(), [page, *places, f"/prolific-submissions/{submission.pk}/"])


@scene
def a_study_that_is_paused() -> Stage:
    page = f"/crowd-links/{study('publish', 'pause').pk}/prolific/"
    return Stage(admin(), [f"{page}resume/"])


@scene
def bonuses_on_prolific() -> Stage:
    link = study("publish")
    submitted(link, "2", "TIMED-OUT")
    return Stage(admin(), [f"/crowd-links/{link.pk}/prolific/bonus/"])


def prepared() -> CrowdLink:
    link = study("publish")
    submitted(link, "2", "TIMED-OUT")
    ids = set(link.prolific_study.submissions.values_list("pk", flat=True))
    bonuses.prepare(study=link.prolific_study, submission_ids=ids, by=admin(), now=timezone.now())
    return link


@scene
def bonuses_on_prolific_that_are_prepared() -> Stage:
    return Stage(admin(), [f"/crowd-links/{prepared().pk}/prolific/bonus/"])


@scene
def bonuses_that_prolific_did_not_find() -> Stage:
    link = prepared()
    link.prolific_study.bonuses.update(state="not_found")
    return Stage(admin(), [f"/crowd-links/{link.pk}/prolific/bonus/"])
