"""A constitution, and a run that has revised answers by it."""

from collections.abc import Mapping

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.guidelines import constitution, rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import GuidelineVersion, Prompt
from tests.training.conftest import NOW
from training.models import Run, Snapshot, TrainedModel
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import response_numbers

Written = Mapping[Prompt, Mapping[int, str]]
"""The texts of each prompt, by round; 0 is the answer before all revisions"""


def a_constitution(by: User) -> GuidelineVersion:
    guideline = guidelines_services.create_guideline(
        name="Answering",
        text="Be kind.",
        form=rating_form.RatingForm(constitution.PRINCIPLES),
        by=by,
        now=NOW,
    )
    return guideline.versions.get()


def queued(model: TrainedModel, snapshot: Snapshot, version: int, *, by: User) -> Run:
    return run_queue.queue_run(
        kind="revise",
        name="revised",
        config={"constitution": version},
        snapshot=snapshot,
        base_model=model,
        by=by,
        now=NOW,
    )


def ended(
    run: Run,
    written: Written,
    *,
    principles: Mapping[int, str] | None = None,
    guideline: str = "Answering v1",
) -> Run:
    """`run`, succeeded. `principles`: the name of each round's, `honest` unless it is said."""
    runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    lineage = {"guideline": guideline, "guideline_version": run.config["constitution"]}
    responses = [
        NewResponse(
            prompt.pk,
            text,
            response_numbers.response_number(run_id=run.pk, number=number),
            {"round": number, "critique": "It lies."}
            | (lineage | {"principle": (principles or {}).get(number, "honest")} if number else {}),
            is_ended=True,
        )
        for prompt, texts in written.items()
        for number, text in texts.items()
    ]
    registry_services.store_responses(run_id=run.pk, attempt=1, rows=responses, now=NOW)
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=runs_services.AttemptResult(Run.Outcome.SUCCEEDED),
        now=NOW,
    )
    run.refresh_from_db()
    return run
