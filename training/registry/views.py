"""The list of models, the forms that register one, and a model's page, card and archive."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.models import Export
from pages import list_pages
from training import access as training_access
from training.benchmarks.scorecards.pages import model_verdict
from training.benchmarks.scorecards.pages import views as scorecards_views
from training.configs import kinds
from training.models import TrainedModel
from training.registry import change_stage, endpoints, forms, selectors, services
from training.registry import publish as registry_publish
from training.registry.archive import cards, export
from training.registry.lineage import drawing
from training.results import measures
from training.storage import artifacts, store

MODELS_PER_PAGE = 30
RESPONSES_PER_PAGE = 30
KIND_TABS = [
    (TrainedModel.Kind.POLICY, _("Language models")),
    (TrainedModel.Kind.REWARD, _("Reward models")),
]


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    page = list_pages.shown(request, selectors.models(kind=kind), size=MODELS_PER_PAGE)
    return render(
        request, "training/registry/models.html", {"page": page, "kind": kind, "kinds": KIND_TABS}
    )


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = forms.ModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            model = services.register_model(
                **form.cleaned_data, by=training_access.researcher(request.user), now=timezone.now()
            )
        except services.UnableToRegister as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("model", model.pk)
    return render(
        request,
        "training/registry/model_new.html",
        {"form": form, "roots": settings.MODEL_ROOTS},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def new_endpoint(request: HttpRequest) -> HttpResponse:
    form = forms.EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            model = endpoints.register_endpoint(
                **form.cleaned_data, by=training_access.researcher(request.user), now=timezone.now()
            )
        except services.UnableToRegister as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("model", model.pk)
    context = {"form": form, "hosts": list(endpoints.allowed_hosts())}
    return render(
        request,
        "training/registry/model_endpoint_new.html",
        context,
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    model = training_access.model(user=request.user, pk=pk)
    initial = {name: getattr(model, name) for name in ("stage", "licence", "notes", "card")}
    form = forms.ModelEditForm(request.POST or None, initial=initial)
    if "begin" in request.GET:
        form.begins_with = {"card": cards.generated_card(model=model)}
    if request.method == "POST" and form.is_valid():
        change_stage.change_model(
            model=model,
            **form.cleaned_data,
            by=training_access.researcher(request.user),
            now=timezone.now(),
        )
        return redirect("model", pk)
    return render(
        request,
        "training/registry/model_edit.html",
        {"model": model, "form": form},
        status=422 if form.errors else 200,
    )


@require_GET
def responses(request: HttpRequest, pk: int) -> HttpResponse:
    """The model's responses, for researchers, who may not see campaigns. ?run= keeps those of one
    sampling run.
    """
    model = training_access.model(user=request.user, pk=pk)
    asked = request.GET.get("run", "")
    run = training_access.run(user=request.user, pk=int(asked)) if asked.isdecimal() else None
    page = list_pages.shown(
        request, drawing.responses_of(model=model, run=run), size=RESPONSES_PER_PAGE
    )
    context = {
        "model": model,
        "run": run,
        "page": page,
        "is_admin": training_access.researcher(request.user).is_admin,
    }
    return render(request, "training/registry/model_responses.html", context)


@require_GET
def archive(request: HttpRequest, pk: int) -> HttpResponseBase:
    model = training_access.model(user=request.user, pk=pk)
    weights = export.ADAPTER if request.GET.get("weights") == export.ADAPTER else export.MERGED
    try:
        packed = export.download(
            model=model,
            weights=weights,
            by=training_access.researcher(request.user),
            now=timezone.now(),
        )
    except export.UnableToExport as problem:
        messages.warning(request, problem.sentence)
        return redirect("model", pk)
    except store.StoreUnavailable:
        messages.warning(request, _("The artifact store is not responding. Try again later."))
        return redirect("model", pk)
    return packed.response()


@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    model = training_access.model(user=request.user, pk=pk)
    try:
        registry_publish.publish_model(
            model=model,
            repository=request.POST.get("repository", "").strip(),
            is_private="is_private" in request.POST,
            by=training_access.researcher(request.user),
            now=timezone.now(),
        )
    except registry_publish.UnableToPublish as problem:
        messages.warning(request, problem.sentence)
    return redirect("model", pk)


@require_GET
def publications(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of a model's page that refreshes itself while it is being published."""
    return render(
        request,
        "training/registry/_publications.html",
        _publications(training_access.model(user=request.user, pk=pk)),
    )


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    model = training_access.model(user=request.user, pk=pk)
    endpoint = endpoints.endpoint_of(model=model)
    text = cards.card_text(model=model)
    context: dict[str, Any] = {
        "model": model,
        "location": artifacts.resolve(model.location),
        "lineage": selectors.lineage(model=model),
        "gates": selectors.gate_sentences(model=model),
        "children": selectors.children(model=model),
        "runs": selectors.runs_from(model=model),
        "measures": measures.measures(
            kind=model.run.kind if model.run else "", metrics=model.metrics
        ),
        "drawing": drawing.draw(
            model=model, is_admin=training_access.researcher(request.user).is_admin
        ),
        "licences": cards.licences(model=model),
        "n_judgments": cards.n_judgments_behind(model=model),
        "card_text": text.partition("\n---\n")[2] or text,
        "endpoint": endpoint,
        "training_kinds": _training_kinds(model) if model.can_be_used and not endpoint else [],
        "training_query": f"?base_model={model.pk}",
        "can_keep_adapter": model.run is not None and model.run.config.get("method") == "lora",
    }
    context |= _publications(model) | scorecards_views.card_context(request, model)
    context["verdict"] = model_verdict.verdict(
        model=model, card=context["card"], is_endpoint=endpoint is not None
    )
    return render(request, "training/registry/model.html", context)


def _training_kinds(model: TrainedModel) -> list[tuple[str, str]]:
    """(kind, words) of what can be trained from it."""
    return [
        (about.kind, about.menu)
        for about in kinds.KINDS.values()
        if about.leaves_model() and model.kind in about.starts_from
    ]


def _publications(model: TrainedModel) -> dict[str, object]:
    address = reverse("model_publications", args=[model.pk])
    return {"model": model} | publications_of(model, refreshed_at=address)


def publications_of(thing: TrainedModel | Export, *, refreshed_at: str) -> dict[str, object]:
    """What templates/training/registry/_publications.html needs."""
    listed = selectors.publications(of=thing)
    return {
        "publications": listed,
        "is_going": any(status.is_going for status in listed),
        "refreshed_at": refreshed_at,
    }
