"""Where lineage leads beyond training: a campaign and a prompt, to read. Of raters nothing but how
many.
"""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling.models import Source
from training import access as training_access
from training.registry.lineage import asked

RESPONSES_PER_PAGE = 20


@require_GET
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    found = training_access.campaign(user=request.user, pk=pk)
    return render(
        request,
        "training/registry/lineage_campaign.html",
        {"campaign": found, "asked": asked.asked(campaign=found)},
    )


@require_GET
def prompt(request: HttpRequest, pk: int) -> HttpResponse:
    found = training_access.prompt(user=request.user, pk=pk)
    page = Paginator(asked.responses_to(prompt=found), RESPONSES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    models = asked.models_of(sources=Source.objects.filter(responses__in=page.object_list))
    context = {
        "prompt": found,
        "page": page,
        "responses": [(response, models.get(response.source_id)) for response in page],
        "n_judgments": asked.n_judgments_on(prompt=found),
        "campaigns": asked.campaigns_asking(prompt=found),
        "snapshots": asked.snapshots_with(prompt=found),
    }
    return render(request, "training/registry/lineage_prompt.html", context)
