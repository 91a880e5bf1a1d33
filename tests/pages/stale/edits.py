"""Every form that shows what is there, to be changed: the page, what somebody else saves meanwhile,
and what the first page sends then.
"""

from collections.abc import Callable

from django.urls import reverse

from labeling.models import OnboardingStep
from labeling.people.onboarding import services as onboarding_services
from tests.cast import NOON, some_prompts
from tests.pages.stale.two_tabs import Edit, Fixture
from tests.training import cast
from tests.training.schedules.test_schedule_pages import form_data
from training.models import Schedule

EDITS: dict[str, Callable[[Fixture], Edit]] = {}


def edit(url_name: str) -> Callable[[Callable[[Fixture], Edit]], None]:
    def keep(scene: Callable[[Fixture], Edit]) -> None:
        EDITS[url_name] = scene

    return keep


@edit("profile")
def _(get: Fixture) -> Edit:
    mine, theirs = {"name": "Alice A."}, {"name": "Alice B.", "time_zone": "Europe/Berlin"}
    return Edit(get("alice"), reverse("profile"), theirs, mine)


@edit("person")
def _(get: Fixture) -> Edit:
    page = reverse("person", args=[get("noor").pk])
    theirs = {"roles": ["rater", "researcher"], "name": "Noor N."}
    return Edit(get("alice"), page, theirs, {"name": "Noor M."})


@edit("rater_skills")
def _(get: Fixture) -> Edit:
    page = reverse("rater_skills", args=[get("rosa").pk])
    theirs = {"languages": "de, nl", "topics": ["summarization"]}
    return Edit(get("alice"), page, theirs, {"languages": "fr"})


@edit("my_skills")
def _(get: Fixture) -> Edit:
    theirs = {"tags": "law", "topics": ["summarization"]}
    return Edit(get("rosa"), reverse("my_skills"), theirs, {"tags": "chess"})


@edit("my_care")
def _(get: Fixture) -> Edit:
    theirs, mine = {"kinds": ["sexual"]}, {"kinds": ["violence"]}
    return Edit(get("rosa"), reverse("my_care"), theirs, mine)


@edit("pool_edit")
def _(get: Fixture) -> Edit:
    page = reverse("pool_edit", args=[get("day_shift").pk])
    theirs = {"description": "Theirs.", "max_per_day": "7", "routes_by_language": "on"}
    return Edit(get("alice"), page, theirs, {"description": "Mine."})


@edit("step_edit")
def _(get: Fixture) -> Edit:
    step = onboarding_services.add_step(
        pool=get("day_shift"),
        kind=OnboardingStep.Kind.PROFILE,
        title="About you",
        text="Tell us.",
        questions=[{"text": "Where?", "choices": ["Here", "There"]}],
        by=None,
        now=NOON,
    )
    theirs = {"text": "Theirs.", "paid_minutes": "9", "questions-0-text": "Where now?"}
    return Edit(get("alice"), reverse("step_edit", args=[step.pk]), theirs, {"text": "Mine."})


@edit("campaign_change")
def _(get: Fixture) -> Edit:
    page = reverse("campaign_change", args=[get("comparison_campaign").pk])
    theirs = {"lease_minutes": "45", "overlap": "4", "asks_reason": "on"}
    return Edit(get("alice"), page, theirs, {"lease_minutes": "50"})


@edit("campaign_gold_settings")
def _(get: Fixture) -> Edit:
    page = reverse("campaign_gold", args=[get("comparison_campaign").pk])
    theirs = {"gold_share": "7", "gold_min": "11"}
    return Edit(get("alice"), page, theirs, {"gold_share": "9"})


@edit("guideline_edit")
def _(get: Fixture) -> Edit:
    page = reverse("guideline_edit", args=[get("guideline").pk])
    example = {"examples-0-why": "Short.", "examples-0-answer": "Yes."}
    theirs = {"text": "Theirs.", "questions-0-label": "Is it so?"} | example
    return Edit(get("alice"), page, theirs, {"text": "Mine."})


@edit("prompt_upsetting")
def _(get: Fixture) -> Edit:
    page = reverse("prompt", args=[some_prompts(1)[0].pk])
    return Edit(get("alice"), page, {"kinds": ["sexual"]}, {"kinds": ["violence"]})


@edit("run_describe")
def _(get: Fixture) -> Edit:
    page = reverse("run", args=[cast.a_run(get("noor")).pk])
    theirs = {"tags": "theirs", "remarks": "Theirs."}
    return Edit(get("noor"), page, theirs, {"remarks": "Mine."})


@edit("model_edit")
def _(get: Fixture) -> Edit:
    page = reverse("model_edit", args=[cast.a_model(get("noor")).pk])
    theirs = {"notes": "Theirs.", "stage": "approved"}
    return Edit(get("noor"), page, theirs, {"notes": "Mine."})


@edit("schedule_edit")
def _(get: Fixture) -> Edit:
    client, model = get("signed_in")(get("noor")), cast.a_model(get("noor"))
    client.post(reverse("schedule_new", args=["fine-tune"]), form_data(base_model=model.pk))
    page = reverse("schedule_edit", args=[Schedule.objects.get().pk])
    theirs = {"name": "Theirs", "cron": "0 4 * * *", "min_interval_h": "5"}
    return Edit(get("noor"), page, theirs, {"name": "Mine"})
