"""Forms that make something new, from what somebody else takes away meanwhile."""

from django.utils import timezone

from labeling.data.exports import jobs as exports
from labeling.data.imports import previews
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Prompt
from labeling.people.withdrawals import withdrawal
from tests.pages.stale.scenes.cast import admin, comparing, researcher
from tests.pages.stale.scenes.training import started
from tests.pages.stale.values import RULE, VALUES, VOTES, Uploaded
from tests.pages.stale.walk import Scene, Stage, adds_to
from tests.training import cast
from tests.training.benchmarks.scorecards import rows as scorecard_rows
from tests.training.benchmarks.scorecards.test_people import answered
from tests.training.snapshots.test_rule_ratings import rule_of, web_pages
from training.management.commands import seed_demo
from training.models import Run, TrainedModel
from training.snapshots.curation import services as curation_services

SCENES: list[Scene] = []
scene = adds_to(SCENES)


@scene
def a_campaign_to_create() -> Stage:
    def the_prompts_are_retired() -> None:
        Prompt.objects.update(retired_at=timezone.now())

    return Stage(admin(), ["/campaigns/new/"], changes=[the_prompts_are_retired])


@scene
def a_campaign_of_attacks_to_create() -> Stage:
    guideline = guidelines_services.create_guideline(
        name="A rule", text=f"# Rules\n\n{RULE}\n", by=admin(), now=timezone.now()
    )

    def the_rule_is_rewritten() -> None:
        guidelines_services.new_guideline_version(
            guideline=guideline,
            text="Kindness.",
            form=rating_form.default(),
            by=admin(),
            now=timezone.now(),
        )

    page = "/campaigns/new/red-teaming/"
    return Stage(admin(), [page], changes=[the_rule_is_rewritten], is_one_act=True)


@scene
def a_schedule_to_create() -> Stage:
    def the_models_are_gone() -> None:
        TrainedModel.objects.update(stage="retired")

    return Stage(researcher(), ["/schedules/new/fine-tune/"], changes=[the_models_are_gone])


@scene
def a_run_to_extend() -> Stage:
    run = cast.finished(cast.a_run(researcher(), state="running", n_points=20), "succeeded")
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now(), kept_step=20)

    def its_state_is_deleted() -> None:
        Run.objects.filter(pk=run.pk).update(kept_step=None)

    return Stage(researcher(), [f"/runs/{run.pk}/"], [its_state_is_deleted], is_one_act=True)


@scene
def a_suite_to_store() -> Stage:
    page = "/suites/new/"
    return Stage(researcher(), [page], sent={page: VALUES["suite_new"]})


@scene
def answers_of_raters_to_import() -> Stage:
    kept = previews.keep(upload=Uploaded("votes.csv", VOTES), by=admin(), now=timezone.now())
    page = "/campaigns/import/"
    about = {"campaign": "Votes", "source_name": "Votes", "licence": "CC0-1.0", "preview": "1"}
    return Stage(admin(), [page], sent={page: about | {"upload": kept.token}})


@scene
def a_prompt_of_the_playground() -> Stage:
    page = "/models/try/keep/"
    return Stage(researcher(), [page], sent={page: {"text": "Which is the longest river?"}})


@scene
def a_demonstration_of_the_playground() -> Stage:
    model = cast.a_model(researcher(), name="Talks")

    def the_model_is_gone() -> None:
        model.delete()

    page = "/models/try/keep/"
    about = {"text": "Which is it?", "written": "The Nile.", "model": str(model.pk)}
    return Stage(researcher(), [page], changes=[the_model_is_gone], sent={page: about})


@scene
def an_export_to_publish() -> Stage:
    export = exports.request_export(
        campaign=comparing(), shape="rankings", by=researcher(), now=timezone.now()
    )
    exports.EXPORTS.run(export.pk, clock=timezone.now)

    def a_rater_withdraws() -> None:
        rater = comparing().judgments.order_by("pk")[0].rater
        withdrawal.withdraw_rater(rater=rater, by=admin(), now=timezone.now())

    page = f"/exports/{export.pk}/publish/"
    return Stage(researcher(), [page], changes=[a_rater_withdraws], is_one_act=True)


@scene
def answers_of_two_models_to_compare() -> Stage:
    suite = scorecard_rows.a_suite("questions", n=2, kind="generate", scorer="refusal")
    ours, _theirs = (
        answered(suite, [f"{name} is it.", "No."], by=researcher(), name=name)
        for name in ("Ours", "Theirs")
    )
    return Stage(researcher(), [f"/runs/{ours.pk}/suites/{suite.pk}/raters/"])


@scene
def documents_that_a_rule_removed() -> Stage:
    curation = started(*web_pages()[-6:], recipe="text")
    rule = rule_of(curation)

    def the_preview_is_discarded() -> None:
        curation_services.discard_curation(curation=curation, by=researcher(), now=timezone.now())

    page = f"/curations/{curation.pk}/rate/?rule={rule}"
    return Stage(researcher(), [page], changes=[the_preview_is_discarded])


@scene
def a_token_to_create() -> Stage:
    return Stage(admin(), ["/profile/"], is_one_act=True, password=seed_demo.LOGINS[1].password)
