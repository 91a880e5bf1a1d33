"""Models: the list, the form that registers one, and where each came from."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from training import access, forms, selectors, services
from training.models import TrainedModel

MODELS_PER_PAGE = 30
KIND_TABS = [(TrainedModel.Kind.POLICY, _("Language models")), (TrainedModel.Kind.REWARD, _("Reward models"))]


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    kind = request.GET.get("kind", "")
    page = Paginator(selectors.models(kind=kind), MODELS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "training/models.html", {"page": page, "kind": kind, "kinds": KIND_TABS})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    form = forms.ModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            model = services.register_model(**form.cleaned_data, by=access.researcher(request.user), now=timezone.now())
        except services.UnableToRegister as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("model", model.pk)
    return render(request, "training/model_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    model = access.model(user=request.user, pk=pk)
    context = {
        "model": model,
        "lineage": selectors.lineage(model=model),
        "children": selectors.children(model=model),
        "runs": selectors.runs_from(model=model),
        "measures": selectors.measures(metrics=model.metrics),
    }
    return render(request, "training/model.html", context)
