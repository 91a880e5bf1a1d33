"""A rater's pages of onboarding: the steps left in a pool, one step, and their skills."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from labeling import access as labeling_access
from labeling.guidelines import selectors as guidelines_selectors
from labeling.models import GuidelineVersion, OnboardingStep, Pool, Rater, RaterSkill, StepAttempt
from labeling.people.onboarding import selectors, services
from labeling.people.onboarding.forms import AnswersForm
from labeling.people.roster import selectors as roster_selectors
from labeling.people.skills import services as skills_services
from labeling.people.skills.forms import SkillsForm
from labeling.people.skills.selectors import shown_topics
from labeling.queue import onboarding_left
from pages import render as pages_render


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    pool = labeling_access.my_pool(rater=rater, pk=pk)
    lines = selectors.rater_steps(rater=rater, pool=pool)
    progress = onboarding_left.OnboardingProgress
    context = {
        "pool": pool,
        "lines": lines,
        "n_left": sum(line.progress != progress.PASSED for line in lines),
        "is_refused_visitor": any(line.progress == progress.REFUSED for line in lines)
        and selectors.is_visiting(rater=rater, pool=pool),
    }
    return render(request, "labeling/people/onboarding/onboarding.html", context)


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, step_pk: int) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    pool = labeling_access.my_pool(rater=rater, pk=pk)
    line = _line(rater, pool, step_pk)
    if not line.is_open:
        return redirect("onboarding", pk)
    form = _form(line, request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _step_page(request, line, form)
    numbers = {name: form.cleaned_data[name] for name in ("version", "guideline_version")}
    try:
        attempt = services.submit_step(
            step=line.step, rater=rater, **numbers, answers=form.answers, now=timezone.now()
        )
    except services.UnableToSubmitStep as problem:
        line = _line(rater, pool, step_pk)
        if line.is_open:
            return _step_page(
                request,
                line,
                _form_again(line, request.POST, opened=numbers["version"]),
                problem.sentence,
            )
        messages.warning(request, problem.sentence)
    else:
        messages.info(request, feedback(attempt))
    return redirect("onboarding", pk)


def _line(rater: Rater, pool: Pool, step_pk: int) -> selectors.RaterStep:
    line = next(
        (line for line in selectors.rater_steps(rater=rater, pool=pool) if line.step.pk == step_pk),
        None,
    )
    if line is None:
        raise Http404
    return line


def _form(line: selectors.RaterStep, data: QueryDict | None) -> AnswersForm:
    return AnswersForm(
        data, kind=line.step.kind, version=line.version, guideline_version=_guideline(line)
    )


def _form_again(line: selectors.RaterStep, data: QueryDict, *, opened: int) -> AnswersForm:
    """The form for the current version of the step. Keeps the answers if its questions are those of
    the version that was `opened`.
    """
    fresh = _form(line, None)
    before = selectors.step_version(step=line.step, number=opened)
    if before is None or before.questions != line.version.questions:
        return fresh
    values = data.copy()
    for name, number in fresh.initial.items():
        values[name] = "" if number is None else str(number)
    return _form(line, values)


def _guideline(line: selectors.RaterStep) -> GuidelineVersion | None:
    return (
        guidelines_selectors.latest_version(guideline=line.step.guideline)
        if line.step.guideline
        else None
    )


def _step_page(
    request: HttpRequest, line: selectors.RaterStep, form: AnswersForm, problem: str = ""
) -> HttpResponse:
    guideline = _guideline(line)
    context = {
        "pool": line.step.pool,
        "line": line,
        "form": form,
        "problem": problem,
        "html": pages_render.markdown(line.version.text) if line.version.text else "",
        "guideline": pages_render.markdown(guideline.text) if guideline else "",
        "guideline_version": guideline,
        "guideline_name": guideline.guideline.name if guideline else "",
    }
    return render(
        request,
        "labeling/people/onboarding/onboarding_step.html",
        context,
        status=422 if problem or form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def my_skills(request: HttpRequest) -> HttpResponse:
    """Languages and topics as the rater states them; pools that route use them."""
    rater = labeling_access.rater(user=request.user)
    declared = {
        axis: roster_selectors.skills_of(rater=rater, axis=axis, basis=RaterSkill.Basis.DECLARED)
        for axis in RaterSkill.Axis
    }
    initial = SkillsForm.initial_of(
        languages=declared[RaterSkill.Axis.LANGUAGE], topics=declared[RaterSkill.Axis.TOPIC]
    )
    form = SkillsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        skills_services.declare_skills(rater=rater, **form.arguments, now=timezone.now())
        messages.success(request, _("Saved. Applies from the next item."))
        return redirect("my_skills")
    tested = [
        code
        for axis in RaterSkill.Axis
        for code in roster_selectors.skills_of(
            rater=rater, axis=axis, basis=RaterSkill.Basis.TESTED
        )
    ]
    context = {
        "form": form,
        "tested": tested,
        "shown": [entry for entry in shown_topics(rater=rater) if entry.counts],
    }
    return render(
        request,
        "labeling/people/onboarding/my_skills.html",
        context,
        status=422 if form.errors else 200,
    )


def feedback(attempt: StepAttempt) -> str:
    """The result as text, without the right answers."""
    state = StepAttempt.State(attempt.state)
    if attempt.step.kind == OnboardingStep.Kind.DEMONSTRATIONS:
        return _("Submitted. An admin will read and score it.")
    if attempt.score is None:
        return (
            _("Done.")
            if state == StepAttempt.State.PASSED
            else _("Submitted. An admin will review it.")
        )
    share = round(attempt.score * 100)
    sentences = {
        StepAttempt.State.PASSED: _("Passed: %(share)d %% agreement with the researchers."),
        StepAttempt.State.BELOW: _(
            "%(share)d %% agreement with the researchers; %(cut)d %% is needed. Read the"
            " instructions again, then try again."
        ),
        StepAttempt.State.WAITING: _(
            "%(share)d %% agreement with the researchers. An admin will decide."
        ),
        StepAttempt.State.REFUSED: _("%(share)d %% agreement with the researchers."),
    }
    cut = round(float(attempt.step.cut or 0) * 100)
    return sentences[state] % {"share": share, "cut": cut}
