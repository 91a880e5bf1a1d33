"""An admin's pages of a pool's onboarding: its steps, raters in progress, and attempts to score and
decide.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from arithmetic import response_orders
from labeling import access as labeling_access
from labeling.guidelines import differences
from labeling.models import OnboardingStep, StepAttempt, StepVersion
from labeling.people.onboarding import question_rows, questions, selectors, services
from labeling.people.onboarding.forms import (
    AnswersForm,
    AttemptDecisionForm,
    AttemptScoresForm,
    StepForm,
)
from labeling.queue import onboarding_left
from labeling.queue.cases.selectors import n_waiting
from pages import edit_conflicts, list_pages
from pages import render as pages_render
from pages.form_parts import with_one_more

Kind = OnboardingStep.Kind
ATTEMPTS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    context = {
        "pool": pool,
        "rows": selectors.step_rows(pool=pool),
        "kinds": Kind.choices,
        "waiting": selectors.waiting_attempts(pool=pool)[:50],
        "raters": selectors.onboarding_raters(pool=pool),
        "retired": selectors.retired_steps(pool=pool),
    }
    return render(request, "labeling/people/onboarding/pool_onboarding.html", context)


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest, pk: int, kind: str) -> HttpResponse:
    pool = labeling_access.pool(user=request.user, pk=pk)
    if kind not in Kind:
        raise Http404
    form = StepForm(request.POST or None, kind=kind)
    rows = _rows(request, kind, [])
    if _is_save(request) and _are_valid(form, rows):
        services.add_step(
            pool=pool, kind=kind, **_arguments(form, rows), by=request.user, now=timezone.now()
        )
        return redirect("pool_onboarding", pk)
    context = {"pool": pool, "form": form, "rows": rows, "kind": Kind(kind).label}
    context |= _preview(request, form, rows)
    return render(
        request,
        "labeling/people/onboarding/step_edit.html",
        context,
        status=422 if _is_save(request) else 200,
    )


@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    step = labeling_access.step(user=request.user, pk=pk)
    version = onboarding_left.newest_versions(steps=[step])[step.pk]
    form = StepForm(request.POST or None, kind=step.kind, step=step, version=version)
    rows = _rows(request, step.kind, version.questions)
    if _is_save(request) and _are_valid(form, rows):
        saved = services.edit_step(
            step=step, **_arguments(form, rows), by=request.user, now=timezone.now()
        )
        messages.success(request, _("Saved as version %(n)d.") % {"n": saved.number})
        return redirect("pool_onboarding", step.pool_id)
    counts = selectors.profile_counts(step=step) if step.kind == Kind.PROFILE else []
    context: dict[str, object] = {
        "pool": step.pool,
        "form": form,
        "rows": rows,
        "kind": step.get_kind_display(),
        "step": step,
        "version": version,
        "counts": counts,
    } | _preview(request, form, rows)
    return render(
        request,
        "labeling/people/onboarding/step_edit.html",
        context,
        status=422 if _is_save(request) else 200,
    )


@require_GET
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """One version as raters saw and answered it, and its differences to the previous one."""
    step = labeling_access.any_step(user=request.user, pk=pk)
    every = selectors.step_versions(step=step)
    number = request.GET.get("version")
    shown = next((version for version in every if str(version.number) == number), every[0])
    before = next((version for version in every if version.number < shown.number), None)
    context: dict[str, object] = {
        "pool": step.pool,
        "step": step,
        "versions": every,
        "shown": shown,
        "questions": questions.as_text(step.kind, shown.questions),
        "before": before,
    }
    if before is not None:
        context["changes"] = differences.changes(_lines(step, before), _lines(step, shown))
    return render(request, "labeling/people/onboarding/step_history.html", context)


@require_POST
def move(request: MemberRequest, pk: int) -> HttpResponse:
    step = labeling_access.step(user=request.user, pk=pk)
    if edit_conflicts.has_changed(request.POST, step.position):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
    else:
        places = -1 if "up" in request.POST else 1
        services.move_step(step=step, places=places, by=request.user, now=timezone.now())
    return redirect("pool_onboarding", step.pool_id)


@require_http_methods(["GET", "POST"])
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for confirmation, POST stops asking raters to do the step."""
    step = labeling_access.step(user=request.user, pk=pk)
    if request.method == "POST":
        services.retire_step(step=step, by=request.user, now=timezone.now())
        messages.success(request, _("The step is retired. Raters no longer take it."))
        return redirect("pool_onboarding", step.pool_id)
    version = onboarding_left.newest_versions(steps=[step])[step.pk]
    return render(
        request,
        "labeling/people/onboarding/step_retire.html",
        {"step": step, "version": version, "pool": step.pool},
    )


@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Attempts in all pools that wait for a decision, shown as one of the queues."""
    page = list_pages.shown(request, selectors.waiting_attempts(), size=ATTEMPTS_PER_PAGE)
    return render(
        request,
        "labeling/people/onboarding/attempts_waiting.html",
        {"page": page, "waiting": n_waiting()},
    )


@require_http_methods(["GET", "POST"])
def attempt(request: MemberRequest, pk: int) -> HttpResponse:
    """A rater's answers next to the researchers' answers, with the decision and, for
    demonstrations, scores.
    """
    selected = labeling_access.attempt(user=request.user, pk=pk)
    is_written = selected.step.kind == Kind.DEMONSTRATIONS
    scores = (
        AttemptScoresForm(
            request.POST if "scores" in request.POST else None, n=len(selected.answers)
        )
        if is_written
        else None
    )
    decision = AttemptDecisionForm(
        request.POST if "decide" in request.POST else None, attempt=selected
    )
    if scores is not None and scores.is_bound and scores.is_valid():
        services.score_demonstration(
            attempt=selected, scores=scores.scores, by=request.user, now=timezone.now()
        )
        messages.success(request, _("Scores saved."))
        return redirect("attempt", pk)
    if decision.is_bound and decision.is_valid():
        services.decide_attempt(
            attempt=selected, **decision.cleaned_data, by=request.user, now=timezone.now()
        )
        messages.success(request, _("Decision saved. The rater has been notified."))
        return redirect("pool_onboarding", selected.step.pool_id)
    errors = bool(decision.errors or (scores and scores.errors))
    context = {
        "attempt": selected,
        "pool": selected.step.pool,
        "lines": (
            [_line(selected, place, scores) for place in range(len(selected.answers))]
            if selected.version.questions
            else []
        ),
        "given": selected.scores.select_related("reviewer").order_by("place", "at"),
        "decision": decision,
        "is_written": is_written,
        "cut": selected.step.cut,
        "others": selectors.attempts_of(step=selected.step, rater=selected.rater),
    }
    return render(
        request, "labeling/people/onboarding/attempt.html", context, status=422 if errors else 200
    )


def _preview(
    request: HttpRequest, form: StepForm, rows: question_rows.BaseRows | None
) -> dict[str, Any]:
    """The step as raters would see it, if a preview was asked for and the form has no error."""
    if "preview" not in request.POST or not _are_valid(form, rows):
        return {}
    values = _arguments(form, rows)
    unsaved = StepVersion(number=0, text=values["text"], questions=values["questions"])
    return {
        "preview": AnswersForm(kind=form.kind, version=unsaved, auto_id="preview_%s"),
        "preview_html": pages_render.markdown(unsaved.text) if unsaved.text else "",
    }


def _is_save(request: HttpRequest) -> bool:
    return request.method == "POST" and not {"more", "preview"} & request.POST.keys()


def _rows(
    request: HttpRequest, kind: str, asked: Sequence[questions.Question]
) -> question_rows.BaseRows | None:
    """The formset of the questions. The button “Add question” adds an empty row."""
    data = with_one_more(request.POST, "questions") if request.method == "POST" else None
    return question_rows.rows(kind, data, asked)


def _are_valid(form: StepForm, rows: question_rows.BaseRows | None) -> bool:
    """Checks both, so that every problem is shown at once."""
    return all([form.is_valid(), rows is None or rows.is_valid()])


def _arguments(form: StepForm, rows: question_rows.BaseRows | None) -> dict[str, Any]:
    return form.arguments | ({"questions": rows.questions} if rows is not None else {})


def _lines(step: OnboardingStep, version: StepVersion) -> list[str]:
    """All texts of a version as lines, so that two versions can be compared."""
    return [
        version.title,
        *version.text.splitlines(),
        *questions.as_text(step.kind, version.questions).splitlines(),
    ]


def _line(taken: StepAttempt, place: int, scores: AttemptScoresForm | None) -> dict[str, object]:
    """One question with the rater's and the researchers' answer, in words."""
    answer = taken.answers[place]
    if taken.step.kind == Kind.TOPICS:
        return {"prompt": answer, "answer": "", "truth": ""}
    question = taken.version.questions[place]
    line: dict[str, object] = {"prompt": question.get("prompt") or question.get("text", "")}
    if taken.step.kind == Kind.GUIDELINE:
        choices = question["choices"]
        return line | {
            "answer": choices[answer] if answer is not None else "–",
            "truth": choices[question["right"]],
        }
    if taken.step.kind == Kind.FLAGS:
        words = {True: _("sensitive"), False: _("not sensitive"), None: "–"}
        return line | {
            "response": question["response"],
            "answer": words[answer],
            "truth": words[question["is_sensitive"]],
        }
    if taken.step.kind == Kind.RANKINGS:
        responses = list(zip(response_orders.LETTERS, question["responses"], strict=False))
        return line | {
            "responses": responses,
            "answer": _order(answer),
            "truth": _order(question["ranks"]),
        }
    return line | {"text": answer, "field": scores[f"score-{place}"] if scores else None}


def _order(ranks: list[int | None]) -> str:
    tiers: dict[int, list[str]] = {}
    for letter, rank in zip(response_orders.LETTERS, ranks, strict=False):
        if rank is not None:
            tiers.setdefault(rank, []).append(letter)
    return " › ".join(" = ".join(tiers[rank]) for rank in sorted(tiers)) or "–"
