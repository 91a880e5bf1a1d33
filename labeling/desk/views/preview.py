"""The admin's preview of a campaign's desk. Nothing that the page sends is stored."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.desk import access as desk_access
from labeling.desk import posted_page
from labeling.desk.views import answering


@require_http_methods(["GET", "POST"])
def preview(request: MemberRequest, pk: int) -> HttpResponse:
    work = desk_access.sample_work(user=request.user, pk=pk)
    if request.method == "GET":
        return answering.page(request, work, posted_page.PageInput())
    step = request.POST.get("step", "")
    if step == "draft":  # the page only keeps what was typed
        return answering.page(request, work, posted_page.PageInput.of_post(request.POST))
    if step == "review" or step in answering.EDITING or step in answering.SUBMITTING:
        checked = answering.check_posted_answer(request, work)
        if isinstance(checked, HttpResponse):
            return checked
    messages.info(request, _("A rater would get the next item now. Nothing is saved in a preview."))
    return answering.go_to(request, reverse("campaign", args=[pk]))


@require_GET
def guideline(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    return answering.guideline(request, campaign.guideline_version)


@require_GET
def diff(request: HttpRequest, pk: int) -> HttpResponse:
    return answering.diff(request, desk_access.sample_work(user=request.user, pk=pk))


@require_POST
def text(request: HttpRequest, pk: int) -> HttpResponse:
    labeling_access.campaign(user=request.user, pk=pk)
    return answering.written_text(request)
