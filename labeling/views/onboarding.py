"""Onboarding as a rater goes through it: what is left in a pool, and one step."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from labeling import access, services
from labeling.forms.onboarding import AnswersForm
from labeling.forms.people import SkillsForm
from labeling.models import OnboardingStep, RaterSkill, StepAttempt
from labeling.selectors import guidance, roster
from labeling.selectors import onboarding as selectors
from labeling.selectors.skills import shown_topics
from pages import render as texts


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    rater = access.rater(user=request.user)
    pool = access.my_pool(rater=rater, pk=pk)
    lines = selectors.step_lines(rater=rater, pool=pool)
    n_left = sum(line.progress != selectors.Progress.PASSED for line in lines)
    return render(request, "labeling/desk/onboarding.html", {"pool": pool, "lines": lines, "n_left": n_left})


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, pk: int, step_pk: int) -> HttpResponse:
    rater = access.rater(user=request.user)
    pool = access.my_pool(rater=rater, pk=pk)
    line = next((line for line in selectors.step_lines(rater=rater, pool=pool) if line.step.pk == step_pk), None)
    if line is None:
        raise Http404
    if not line.is_open:
        return redirect("onboarding", pk)
    form = AnswersForm(request.POST or None, kind=line.step.kind, version=line.version)
    if request.method == "POST" and form.is_valid():
        try:
            attempt = services.submit_step(
                step=line.step, rater=rater, version=form.cleaned_data["version"], answers=form.answers, now=timezone.now()
            )
        except services.UnableToSubmitStep as problem:
            messages.warning(request, problem.sentence)
        else:
            messages.info(request, feedback(attempt))
        return redirect("onboarding", pk)
    guideline = line.step.guideline
    context = {
        "pool": pool,
        "line": line,
        "form": form,
        "html": texts.markdown(line.version.text) if line.version.text else "",
        "guideline": texts.markdown(guidance.latest_version(guideline=guideline).text) if guideline else "",
        "guideline_name": guideline.name if guideline else "",
    }
    return render(request, "labeling/desk/onboarding_step.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def my_skills(request: HttpRequest) -> HttpResponse:
    """Languages and topics as the rater declares them; pools that route go by it."""
    rater = access.rater(user=request.user)
    declared = {axis: roster.skills_of(rater=rater, axis=axis, basis=RaterSkill.Basis.DECLARED) for axis in RaterSkill.Axis}
    initial = SkillsForm.initial_of(languages=declared[RaterSkill.Axis.LANGUAGE], topics=declared[RaterSkill.Axis.TOPIC])
    form = SkillsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.declare_skills(rater=rater, **form.wanted, now=timezone.now())
        messages.success(request, _("Saved. Items are chosen by it from the next one on."))
        return redirect("my_skills")
    tested = [
        code for axis in RaterSkill.Axis for code in roster.skills_of(rater=rater, axis=axis, basis=RaterSkill.Basis.TESTED)
    ]
    context = {"form": form, "tested": tested, "shown": [entry for entry in shown_topics(rater=rater) if entry.counts]}
    return render(request, "labeling/desk/my_skills.html", context, status=422 if form.errors else 200)


def feedback(attempt: StepAttempt) -> str:
    """How it went, without the answers."""
    state = StepAttempt.State(attempt.state)
    if attempt.step.kind == OnboardingStep.Kind.DEMONSTRATIONS:
        return _("Handed in. A person reads what you wrote and scores it.")
    if attempt.score is None:
        return _("Done.") if state == StepAttempt.State.PASSED else _("Handed in. A person looks at it.")
    share = round(attempt.score * 100)
    sentences = {
        StepAttempt.State.PASSED: _("Passed: %(share)d %% agree with the researchers."),
        StepAttempt.State.BELOW: _(
            "%(share)d %% agree with the researchers; %(cut)d %% are asked for. Read the instructions again, then try once more."
        ),
        StepAttempt.State.WAITING: _("%(share)d %% agree with the researchers. A person looks at it and decides."),
        StepAttempt.State.REFUSED: _("%(share)d %% agree with the researchers."),
    }
    cut = round(float(attempt.step.cut or 0) * 100)
    return sentences[state] % {"share": share, "cut": cut}
