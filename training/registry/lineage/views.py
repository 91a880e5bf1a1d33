"""Read-only pages of a campaign and a prompt, linked from a model's lineage. Of raters only how
many.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from labeling.models import Source
from pages import list_pages
from training import access as training_access
from training.registry.lineage import collected_data

RESPONSES_PER_PAGE = 20


@require_GET
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    selected = training_access.campaign(user=request.user, pk=pk)
    return render(
        request,
        "training/registry/lineage_campaign.html",
        {
            "campaign": selected,
            "summary": collected_data.known_summary(campaign=selected, now=timezone.now()),
        },
    )


@require_GET
def prompt(request: HttpRequest, pk: int) -> HttpResponse:
    selected = training_access.prompt(user=request.user, pk=pk)
    page = list_pages.shown(
        request, collected_data.responses_to(prompt=selected), size=RESPONSES_PER_PAGE
    )
    models = collected_data.models_of(sources=Source.objects.filter(responses__in=page.object_list))
    context = {
        "prompt": selected,
        "page": page,
        "responses": [(response, models.get(response.source_id)) for response in page],
        "n_judgments": collected_data.n_judgments_on(prompt=selected),
        "campaigns": collected_data.campaigns_asking(prompt=selected),
        "snapshots": collected_data.snapshots_with(prompt=selected),
    }
    return render(request, "training/registry/lineage_prompt.html", context)
