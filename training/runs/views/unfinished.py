"""What a run without a result comes to: where it is, what it will do, and what a person can do."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from pages.templatetags.pages import count, duration
from pages.verdicts import Action, Verdict
from training.configs.cost.estimates import Cost
from training.models import Run
from training.processes.launch import Launch
from training.runs import placement, resuming
from training.runs import selectors as runs_selectors
from training.runs.estimates import costs


def verdict(*, run: Run, now: datetime) -> Verdict | None:
    """None once it has succeeded."""
    if run.state == Run.State.QUEUED:
        return _queued(run, now)
    if run.state == Run.State.RUNNING:
        return _running(run)
    if run.outcome == Run.Outcome.SUCCEEDED:
        return None
    return _ended_early(run)


def resume_label(*, run: Run) -> str:
    """Of the button that goes on with an ended run; "" if it cannot."""
    has_ended = run.state == Run.State.FINISHED
    if not has_ended or not resuming.resumable_runs().filter(pk=run.pk).exists():
        return ""
    if run.outcome == Run.Outcome.SUCCEEDED:
        return gettext("Ask what is missing")
    return gettext("Resume") if resuming.has_stopped_midway(run=run) else gettext("Try again")


def _queued(run: Run, now: datetime) -> Verdict:
    waiting = runs_selectors.queued_run_ids()
    place = waiting.index(run.pk) + 1 if run.pk in waiting else 1
    sentence = (
        gettext("Number %(place)s of %(n)s in the queue.") % {"place": place, "n": len(waiting)}
        if len(waiting) > 1
        else gettext("It is the only run in the queue.")
    )
    reason = "" if run.error else placement.why_waiting(run=run, now=now)
    first = Action(gettext("Move to front"), reverse("run_first", args=[run.pk]), is_act=True)
    advice = " ".join(filter(None, (reason, _work(run))))
    return Verdict(sentence, advice, action=first if place > 1 else None)


def _work(run: Run) -> str:
    """“It takes 400 steps, about 12 min on an H100.”"""
    n_steps = run.estimate.get("n_steps")
    if not n_steps:
        return ""
    launch = Launch.from_json(run.launch)
    paces = costs.paces(kind=run.kind, cost=Cost(**run.estimate), launch=launch)
    steps = ngettext("%(n)s step", "%(n)s steps", n_steps) % {"n": count(n_steps)}
    if not paces:
        return gettext("It takes %(steps)s.") % {"steps": steps}
    times = [
        gettext("about %(time)s on %(device)s")
        % {"time": duration(pace.seconds), "device": pace.device}
        for pace in paces
    ]
    return gettext("It takes %(steps)s: %(times)s.") % {"steps": steps, "times": "; ".join(times)}


def _running(run: Run) -> Verdict:
    if run.stop_requested_at:
        return Verdict(gettext("It stops after its current step and saves its state."))
    return Verdict(gettext("Its result comes when it ends."))


def _ended_early(run: Run) -> Verdict:
    values = {"step": count(run.step), "n": count(run.n_steps)}
    if not run.step:
        sentence = gettext("It ended before its first step.")
    elif run.n_steps:
        sentence = gettext("It ended at step %(step)s of %(n)s.") % values
    else:
        sentence = gettext("It ended at step %(step)s.") % values
    actions, label = [], resume_label(run=run)
    if label:
        actions.append(Action(label, reverse("run_retry", args=[run.pk]), is_act=True))
    if not getattr(run, "trained_model", None):
        changed = f"{reverse('run_new', args=[run.kind])}?from={run.pk}&as=retry"
        actions.append(Action(gettext("Retry with changes"), changed))
    if run.log_tail:
        actions.append(Action(gettext("Read the log"), reverse("run_log", args=[run.pk])))
    return Verdict(sentence, _advice(run, label)).with_actions(actions)


def _advice(run: Run, label: str) -> str:
    if not label:
        return ""
    if run.freed_at or not run.step:
        place = gettext("“%(button)s” begins at the first step.")
    else:
        place = gettext("“%(button)s” goes on from its last checkpoint.")
    place %= {"button": label}
    if run.outcome == Run.Outcome.FAILED:
        return f"{place} {gettext('Mend the cause first, or change the settings.')}"
    return place
