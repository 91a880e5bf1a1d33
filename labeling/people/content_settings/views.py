"""A rater's page about upsetting content: what they agree to see, and how much they have seen."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from labeling import access as labeling_access
from labeling.people.content_settings import selectors, services
from labeling.people.content_settings.forms import UpsettingForm


@require_http_methods(["GET", "POST"])
def my_care(request: HttpRequest) -> HttpResponse:
    rater = labeling_access.rater(user=request.user)
    is_post = request.method == "POST"
    form = UpsettingForm(request.POST if is_post else None, initial={"kinds": rater.accepts})
    if is_post and form.is_valid():
        services.accept_upsetting(rater=rater, kinds=form.cleaned_data["kinds"], now=timezone.now())
        messages.success(request, _("Saved. Applies from the next item."))
        return redirect("my_care")
    context = {"form": form, "exposures": selectors.exposures(rater=rater, now=timezone.now())}
    return render(
        request,
        "labeling/people/content_settings.html",
        context,
        status=422 if form.errors else 200,
    )
