"""Which ended runs can go on in place: in the same run, from the last state that it saved, or with
the questions that a server has not answered.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from training.configs import roles
from training.configs.evaluation.benchmark import READ
from training.models import BenchmarkAnswer, Run, Schedule, TrainedModel
from training.storage import artifacts

_BROKEN_OFF = (Run.Outcome.FAILED, Run.Outcome.LOST)


def resumable_runs() -> QuerySet[Run]:
    """Runs that ended before they were done. One that has left a model replaces it when it ends
    again, so nobody may have used that model.
    """
    without_model = Q(trained_model=None)
    stopped_with_state = Q(
        outcome=Run.Outcome.STOPPED,
        stop_requested_at__isnull=False,
        kept_step__isnull=False,
        link=None,  # its chain continues with the model
    )
    goes_on = without_model | (
        (Q(outcome__in=_BROKEN_OFF) | stopped_with_state) & ~Q(Exists(_used_models()))
    )
    extended = Run.objects.filter(made_from=OuterRef("pk"), made_as=Run.MadeAs.EXTENSION)
    broke_off = ~(Q(trained_model__isnull=False) & Q(Exists(extended))) & goes_on
    return Run.objects.filter(
        (broke_off & Q(outcome__in=(*_BROKEN_OFF, Run.Outcome.STOPPED))) | _lacks_answers(),
        state=Run.State.FINISHED,
    )


def has_stopped_midway(*, run: Run) -> bool:
    """Whether a person stopped it after it had begun, and it has what to go on from."""
    return run.outcome == Run.Outcome.STOPPED and run.attempt > 0 and run.freed_at is None


def node_with_state(*, run: Run) -> str:
    """The node that holds the run's state; "" if every node can read it."""
    return "" if artifacts.is_shared() else run.node


def _lacks_answers() -> Q:
    """Benchmarks and attacks that went through, but whose server left something unanswered: it was
    busy, say. A model of ours would not answer the next time either.
    """
    asks_server = Q(base_model__endpoint__isnull=False) | Q(attacker_model__endpoint__isnull=False)
    missing = BenchmarkAnswer.objects.filter(run=OuterRef("pk")).exclude(missing="")
    missing = missing.exclude(item__suite__kind__in=READ)  # a server gives no likelihoods
    # A chain has decided on what there was.
    ended = Q(outcome=Run.Outcome.SUCCEEDED, is_dry=False, link=None)
    return ended & asks_server & Q(Exists(missing))


def _used_models() -> QuerySet[TrainedModel]:
    """The model of the outer run, if something depends on its weights as they are."""
    used = (
        Q(children__isnull=False)
        | Q(publications__isnull=False)
        | Q(source__responses__isnull=False)
        | Q(pinned_at__isnull=False)
        | Q(freed_at__isnull=False)
        | ~Q(stage=TrainedModel.Stage.CANDIDATE)
        | Q(Exists(Schedule.objects.filter(judge=OuterRef("pk"))))
    )
    for name in roles.NAMES:
        used |= Q(Exists(Run.objects.filter(**{name: OuterRef("pk")})))
    return TrainedModel.objects.filter(used, run=OuterRef("pk"))
