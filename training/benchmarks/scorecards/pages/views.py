"""Pages of scorecards: all models, one model, and up to six beside each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from arithmetic import plain_text
from pages import csv_download, list_pages
from pages.verdicts import Action, Verdict
from training import access as training_access
from training.benchmarks.scorecards import selectors, words
from training.benchmarks.scorecards.pages import details, exports, grid, items, picture, verdicts
from training.benchmarks.scorecards.selectors import Line, Scorecard
from training.models import Suite, TrainedModel

MODELS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every model on every suite; ?area= keeps one area's suites."""
    training_access.researcher(request.user)
    area = request.GET.get("area", "")
    area = area if area in Suite.Area.values else ""
    suites = selectors.suites_with_scores(area=area)
    page = list_pages.shown(request, selectors.models_with_scores(area=area), size=MODELS_PER_PAGE)
    models = list(page)
    scores = selectors.cells(models=models, suites=suites)
    context = {
        "page": page,
        "suites": suites,
        "rows": grid.rows(models=models, suites=suites, scores=scores),
        "areas": list(Suite.Area.choices),
        "area": area,
        "n_compared": selectors.N_COMPARED,
        "verdict": _of_newest(area),
    }
    return render(request, "training/scorecards/scorecards.html", context)


def _of_newest(area: str) -> Verdict:
    """Without a sentence if no model has a score."""
    models = selectors.models_with_scores(area=area)
    newest = models.first()
    if newest is None:
        return Verdict("")
    offered = selectors.baselines(model=newest)
    baseline = selectors.baseline_of(model=newest, offered=offered) or next(iter(offered), None)
    card = selectors.scorecard(models=[newest], baseline=baseline).within(area)
    found = verdicts.of_newest(
        card.verdicts(newest),
        model=newest.name,
        baseline=baseline.name if baseline else "",
        n_models=models.count(),
        n_suites=len(card.lines),
    )
    return found.with_actions([_next({"model": newest, "baseline": baseline})])


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One model's card with categories, labels and further scorers; ?baseline= chooses the model
    that it is compared with.
    """
    model = training_access.model(user=request.user, pk=pk)
    context = card_context(request, model)
    context["suites"] = [(line.suite, details.of(line.first)) for line in context["card"].lines]
    context["new_run"] = f"{reverse('run_new', args=['benchmark'])}?base_model={model.pk}"
    context["verdict"] = context["verdict"].with_actions([_next(context)])
    return render(request, "training/scorecards/scorecard.html", context)


def _next(context: Mapping[str, Any]) -> Action:
    """To the answers on which two models differ, or to the scores of another model."""
    model, baseline = context["model"], context["baseline"]
    if baseline is None:
        return Action(_("Run benchmark of another model"), reverse("run_new", args=["benchmark"]))
    return Action(
        _("Compare answers"), f"{reverse('scorecard_compare')}?{_query([baseline, model])}"
    )


def card_context(request: HttpRequest, model: TrainedModel) -> dict[str, Any]:
    """What the card of a model needs, on its own page and on the model's."""
    offered = selectors.baselines(model=model)
    asked = plain_text.whole_number(request.GET.get("baseline", ""))
    baseline = selectors.baseline_of(model=model, offered=offered, asked=asked)
    card = selectors.scorecard(models=[model], baseline=baseline)
    return {
        "model": model,
        "card": card,
        "card_areas": words.areas(card),
        "verdict": verdicts.of_model(card, model),
        "baselines": [(offer.pk, offer.name) for offer in offered],
        "baseline": baseline,
        "n_overlapping": sum(line.first.n_overlapping for line in card.lines),
    }


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Up to six models, named in the address: ?model=3&model=7. The first is the baseline. ?suite=
    lists that suite's items on which they differ. ?order=age, from the grid's selection, makes the
    oldest the baseline: a new model is read against what was there before.
    """
    training_access.researcher(request.user)
    card = _card(request)
    line = _line(card, request.GET.get("suite", ""))
    context = {
        "card": card,
        "card_areas": words.areas(card),
        "chosen": list(_chosen(card.models)),
        "query": _query(card.models),
        "verdicts": [
            (model.name, verdicts.of_model(card, model))
            for model in card.models
            if model != card.baseline
        ],
        "offered": selectors.models_to_compare(beside=card.models)
        if len(card.models) < selectors.N_COMPARED
        else [],
        "line": line,
        "suites": [(entry.suite.pk, str(entry.suite)) for entry in card.lines],
        "page": items.differing(line=line, page=request.GET.get("page"))
        if line and len(card.models) > 1
        else None,
    }
    return render(request, "training/scorecards/compare.html", context)


def _chosen(models: Sequence[TrainedModel]) -> Iterator[tuple[int, TrainedModel, str, str]]:
    """Each with its number, the query without it, and the query with it as the baseline."""
    for number, model in enumerate(models, 1):
        others = [entry for entry in models if entry != model]
        yield number, model, _query(others), _query([model, *others])


def _card(request: HttpRequest) -> Scorecard:
    asked = [
        pk for pk in map(plain_text.whole_number, request.GET.getlist("model")) if pk is not None
    ]
    models = selectors.models_compared(pks=asked)
    if request.GET.get("order") == "age":
        models.sort(key=lambda model: model.created_at)
    return selectors.scorecard(models=models, baseline=models[0] if models else None)


def _line(card: Scorecard, asked: str) -> Line | None:
    by_pk = {str(line.suite.pk): line for line in card.lines}
    return by_pk.get(asked) or next(iter(card.lines), None)


def _query(models: Iterable[TrainedModel]) -> str:
    return urlencode([("model", model.pk) for model in models])


@require_GET
def compare_csv(request: HttpRequest) -> HttpResponse:
    training_access.researcher(request.user)
    return csv_download.response("scorecard.csv", exports.COLUMNS, exports.records(_card(request)))


@require_GET
def compare_json(request: HttpRequest) -> JsonResponse:
    training_access.researcher(request.user)
    headers = {"Content-Disposition": 'attachment; filename="scorecard.json"'}
    return JsonResponse(exports.as_json(_card(request), with_details=True), headers=headers)


@require_GET
def compare_svg(request: HttpRequest) -> HttpResponse:
    """The drawing, which a script of the page turns into a PNG."""
    training_access.researcher(request.user)
    context = {"picture": picture.draw(_card(request)), "label_x": picture.LABEL_X}
    return render(request, "training/scorecards/picture.svg", context, content_type="image/svg+xml")
