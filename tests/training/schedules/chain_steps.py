"""Steps of a chain, for tests: end the run of a link, and look at its links."""

from tests.training.conftest import NOW
from training.models import Chain, Link, Run
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import chains as schedules_chains


def again(chain: Chain) -> Chain:
    chain.refresh_from_db()
    return chain


def link(chain: Chain, step: str) -> Link:
    return chain.links.select_related("run", "snapshot", "campaign").get(step=step)


def run_of(chain: Chain, step: str) -> Run:
    run = link(chain, step).run
    assert run is not None
    return run


def run_ends(
    chain: Chain, step: str, outcome: str = "succeeded", error: str = "", responses: int = 0
) -> None:
    """The run of this step is claimed and ends; the chain hears of it."""
    run = run_of(chain, step)
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    is_model = outcome == "succeeded" and not responses
    runs_services.finish_run(
        run_id=run.pk,
        attempt=claimed.attempt,
        result=AttemptResult(
            Run.Outcome(outcome), error=error, model=f"/models/{run.pk}" if is_model else None
        ),
        now=NOW,
    )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
