"""Pages of an attack run: what it found, and the form that sends a sample to raters."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from arithmetic import plain_text
from labeling.models import Pool
from pages import list_pages
from training import access as training_access
from training.benchmarks.attacks import attempts, sampling, services, success, verdicts, words
from training.benchmarks.attacks.attempts import IN_FULL, IN_PART, Attempt
from training.benchmarks.attacks.forms import SampleForm
from training.benchmarks.attacks.success import Judged
from training.benchmarks.scorecards import words as scorecard_words
from training.configs.evaluation.attack import AttackConfig
from training.models import BenchmarkAnswer, Run

N_GOALS_SHOWN = 50
N_EXAMPLES = 10


@require_GET
def attacks(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    in_full = services.judged(run=run, bar=IN_FULL)
    all_attempts = list(in_full.attempts)
    context: dict[str, Any] = {"run": run, "n": len(all_attempts), "offered": _others(run)}
    if all_attempts:
        context |= _figures(request, in_full, services.judged(run=run, bar=IN_PART))
        context |= _compared(request, run, all_attempts)
        context["verdict"] = verdicts.of_attack(
            context["overall"],
            in_full.rates,
            run_id=run.pk,
            is_finished=run.state == Run.State.FINISHED,
            change=context.get("difference"),
        )
        context["examples"] = _examples(all_attempts)
    if n_without := BenchmarkAnswer.objects.filter(run=run).count() - len(all_attempts):
        context["without_answer"] = scorecard_words.without_answer(n_without)
    context["samples"] = sampling.samples(run=run)
    return render(request, "training/attacks/attacks.html", context)


@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(request, pk)
    form = SampleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sample = sampling.send_to_raters(
                run=run,
                terms=form.terms(),
                by=training_access.researcher(request.user),
                now=timezone.now(),
            )
        except sampling.UnableToSample as refused:
            form.add_error(None, refused.sentence)
        else:
            n = sample.attempts.count()
            words_sent = ngettext(
                "%(n)s attempt sent to raters.", "%(n)s attempts sent to raters.", n
            )
            messages.success(request, words_sent % {"n": n})
            return redirect("run_attacks", pk)
    context = {"run": run, "form": form, "lacks_raters": not Pool.objects.exists()}
    return render(
        request, "training/attacks/send.html", context, status=422 if form.is_bound else 200
    )


def _run(request: HttpRequest, pk: int) -> Run:
    run = training_access.run(user=request.user, pk=pk)
    if run.kind != AttackConfig.kind:
        raise Http404
    return run


def _figures(request: HttpRequest, in_full: Judged, in_part: Judged) -> dict[str, object]:
    results = success.results(in_full, in_part)
    areas = [group.name for group in results.by_area]
    overall = results.overall.success
    goals = [
        (goal, n, n_found, words.counted_interval(interval))
        for goal, n, n_found, interval in results.goals
    ]
    return {
        "overall": overall,
        "in_part": words.in_part(results.overall.in_part),
        "hits": words.row(results.overall, "").hits,
        "by_strategy": [words.row(part, words.strategy(part.name)) for part in results.by_strategy],
        "by_area": [words.row(part, words.area(part.name)) for part in results.by_area],
        "areas": [words.area(name) for name in areas],
        "cells": [
            (
                words.strategy(part.name),
                [words.cell(results.cells.get((part.name, area))) for area in areas],
            )
            for part in results.by_strategy
        ],
        "goals": list_pages.shown(request, goals, size=N_GOALS_SHOWN),
    }


def _others(run: Run) -> list[Run]:
    """Ended attacks with a goal in common, the newest first."""
    goals = BenchmarkAnswer.objects.filter(run=run).values("item")
    ended = Run.objects.filter(
        kind=AttackConfig.kind, state=Run.State.FINISHED, answers__item__in=goals
    )
    return list(ended.exclude(pk=run.pk).select_related("base_model").distinct().order_by("-pk"))


def _compared(request: HttpRequest, run: Run, all_attempts: list[Attempt]) -> dict[str, object]:
    asked = plain_text.whole_number(request.GET.get("against", ""))
    other = next((candidate for candidate in _others(run) if candidate.pk == asked), None)
    if other is None:
        return {}
    difference = success.difference(all_attempts, attempts.attempts(run=other))
    sampled = [
        {name: candidate.config.get(name) for name in ("temperature", "max_new_tokens", "turns")}
        for candidate in (run, other)
    ]
    return {
        "against": other,
        "difference": difference,
        "comparison": words.comparison(difference),
        "has_other_settings": sampled[0] != sampled[1],
    }


def _examples(all_attempts: list[Attempt]) -> list[tuple[Attempt, str, BenchmarkAnswer]]:
    """Attempts that the classifier calls successful, or raters do; of different goals."""
    of_goal: dict[int, Attempt] = {}
    for attempt in sorted(all_attempts, key=lambda attempt: attempt.label is not True):
        if attempt.label or (attempt.found and attempt.label is None):
            of_goal.setdefault(attempt.goal, attempt)
    chosen = {attempt.answer: attempt for attempt in list(of_goal.values())[:N_EXAMPLES]}
    answers = BenchmarkAnswer.objects.select_related("item").in_bulk(list(chosen))
    return [
        (attempt, words.strategy(attempt.strategy), answers[pk]) for pk, attempt in chosen.items()
    ]
