"""Which ended runs can go on in place: in the same run, from the last state that it saved."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from training.configs import roles
from training.models import Run, Schedule, TrainedModel
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
    return Run.objects.filter(
        ~(Q(trained_model__isnull=False) & Q(Exists(extended))),
        goes_on,
        state=Run.State.FINISHED,
        outcome__in=(*_BROKEN_OFF, Run.Outcome.STOPPED),
    )


def has_stopped_midway(*, run: Run) -> bool:
    """Whether a person stopped it after it had begun, and it has what to go on from."""
    return run.outcome == Run.Outcome.STOPPED and run.attempt > 0 and run.freed_at is None


def node_with_state(*, run: Run) -> str:
    """The node that holds the run's state; "" if every node can read it."""
    return "" if artifacts.is_shared() else run.node


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
