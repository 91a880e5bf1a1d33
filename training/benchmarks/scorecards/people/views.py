"""Pages of a run's answers to a suite: send them to raters, score them again, see what people say;
and the page of the refusal classifier.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.models import Guideline, Pool
from training import access as training_access
from training.benchmarks.scorecards import pairs, rescoring, words
from training.benchmarks.scorecards.people import people_words, rater_campaigns, scores
from training.benchmarks.scorecards.people.forms import ScoreAgainForm, SendForm, sent_words
from training.benchmarks.scoring.refusal import card
from training.models import BenchmarkAnswer, Run, Suite, SuiteScore


@require_GET
def rated(request: HttpRequest, pk: int, suite: int) -> HttpResponse:
    run, of = _run_and_suite(request, pk, suite)
    return render(request, "training/scorecards/people/run_suite.html", _context(run, of))


@require_http_methods(["GET", "POST"])
def send(request: HttpRequest, pk: int, suite: int) -> HttpResponse:
    """The form that opens a campaign over the run's answers."""
    run, of = _run_and_suite(request, pk, suite)
    form = SendForm(request.POST or None, run=run, suite=of)
    if request.method == "POST" and form.is_valid():
        try:
            sent = rater_campaigns.send_to_raters(
                run=run,
                suite=of,
                against=form.cleaned_data["against"],
                terms=form.terms(),
                by=training_access.researcher(request.user),
                now=timezone.now(),
            )
        except rater_campaigns.UnableToSend as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, sent_words(sent))
            return redirect("run_suite", pk, suite)
    context = {
        "run": run,
        "suite": of,
        "form": form,
        "lacks_raters": not (Pool.objects.exists() and Guideline.objects.exists()),
        "lacks_runs": not form.fields["against"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(
        request,
        "training/scorecards/people/send.html",
        context,
        status=422 if form.is_bound else 200,
    )


@require_POST
def score_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends the work to a worker: thousands of answers take a while."""
    run = training_access.run(user=request.user, pk=pk)
    form = ScoreAgainForm(request.POST, run=run)
    if not form.is_valid():
        raise Http404
    try:
        is_sent = rescoring.request(
            run=run,
            scorer=form.cleaned_data["scorer"],
            by=training_access.researcher(request.user),
            now=timezone.now(),
        )
    except rescoring.UnableToScore as refused:
        messages.error(request, refused.sentence)
    else:
        if is_sent:
            messages.success(request, gettext("The answers are being scored."))
        else:
            messages.error(request, gettext("No worker can be reached. Try again later."))
    answers = BenchmarkAnswer.objects.filter(run=run)
    suite = answers.values_list("item__suite", flat=True).first()
    return redirect("run_suite", pk, request.POST.get("suite") or suite)


@require_GET
def classifier_card(request: HttpRequest) -> HttpResponse:
    """What the refusal classifier is, and how often it is right, by us and by these raters."""
    training_access.researcher(request.user)
    agreement = scores.agreement()
    context = {
        "ours": people_words.our_figures(card.figures()),
        "theirs": people_words.site_figures(agreement),
        "agreement": agreement,
        "card": card.text(),
    }
    return render(request, "training/scorecards/people/classifier.html", context)


def _run_and_suite(request: HttpRequest, pk: int, suite: int) -> tuple[Run, Suite]:
    """404 unless the run has answers to the suite."""
    run = training_access.run(user=request.user, pk=pk)
    of = training_access.suite(user=request.user, pk=suite)
    if not BenchmarkAnswer.objects.filter(run=run, item__suite=of).exists():
        raise Http404
    return run, of


def _context(run: Run, suite: Suite) -> dict[str, object]:
    people = [score for score in scores.people_scores(run=run) if score.rated.suite_id == suite.pk]
    stored = SuiteScore.objects.filter(run=run, suite=suite).order_by("-is_main", "scorer")
    return {
        "run": run,
        "suite": suite,
        "rows": [
            (
                words.scorer(score),
                words.scorer_about(score),
                words.figure(score),
                words.interval(score),
                score.n,
            )
            for score in stored
            if not score.scorer.startswith(pairs.PEOPLE)
        ],
        "people": [
            (score, people_words.win_rate(score), people_words.labels(score)) for score in people
        ],
        "form": ScoreAgainForm(run=run) if run.state == Run.State.FINISHED else None,
        "can_send": suite.kind == Suite.Kind.GENERATE and run.state == Run.State.FINISHED,
        "has_refusals": any("refusal" in score.scorer for score in stored),
    }
