"""The desk as raters of a campaign see it, shown to an admin. Whatever the page sends is looked at,
and never stored.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.requests import MemberRequest
from labeling import access, desk_answers, desk_pages, desk_reading, desk_words
from labeling.forms import desk as forms
from labeling.models import Campaign
from labeling.selectors import desk as selectors
from pages import render as texts

EDITING = {"edit": desk_answers.begin_edit, "unedit": desk_answers.drop_edit}


@require_http_methods(["GET", "POST"])
def preview(request: MemberRequest, pk: int) -> HttpResponse:
    work = access.sample_work(user=request.user, pk=pk)
    if request.method == "GET":
        return _page(request, work, desk_answers.Typed())
    typed = desk_answers.Typed.of_post(request.POST)
    step = request.POST.get("step", "")
    if step in EDITING:
        return _page(request, work, EDITING[step](work=work, typed=typed))
    answer = desk_answers.read(work=work, typed=typed, now=timezone.now())
    if step == "review" or (step in {"submit", "stop"} and not answer.may_be_stored):
        return _review(request, work, answer)
    messages.info(
        request, _("A rater would be given the next item now. Of a preview nothing is stored.")
    )
    address = reverse("campaign", args=[pk])
    return JsonResponse({"next": address}) if _is_fragment(request) else redirect(address)


@require_GET
def guideline(request: HttpRequest, pk: int) -> HttpResponse:
    version = access.campaign(user=request.user, pk=pk).guideline_version
    is_page = not _is_fragment(request)
    base = "base.html" if is_page else "labeling/desk/fragment.html"
    context = {
        "version": version,
        "html": texts.markdown(version.text),
        "base": base,
        "is_page": is_page,
    }
    return render(request, "labeling/desk/guideline.html", context)


@require_GET
def diff(request: HttpRequest, pk: int) -> HttpResponse:
    work = access.sample_work(user=request.user, pk=pk)
    pair = desk_reading.diff(work=work, of=request.GET.get("of", ""), to=request.GET.get("to", ""))
    return render(request, "labeling/desk/_diff.html", {"pair": pair}, status=200 if pair else 400)


@require_POST
def text(request: HttpRequest, pk: int) -> HttpResponse:
    access.campaign(user=request.user, pk=pk)
    return HttpResponse(texts.markdown_once(request.POST.get("text", "")))


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("X-Desk") == "fragment"


def _review(
    request: HttpRequest, work: selectors.Work, answer: desk_answers.Answer
) -> HttpResponse:
    if _is_fragment(request):
        html = render_to_string("labeling/desk/_review.html", {"review": answer.review}, request)
        return JsonResponse({"review": html, "is_ready": not answer.review.problems})
    return _page(request, work, answer.typed, review=answer.review)


def _page(
    request: HttpRequest,
    work: selectors.Work,
    typed: desk_answers.Typed,
    *,
    review: desk_answers.Review | None = None,
) -> HttpResponse:
    is_comparison = work.campaign.kind == Campaign.Kind.COMPARISON
    build = desk_pages.compare_page if is_comparison else desk_pages.write_page
    nothing = selectors.Tally(n_judgments=0, active_s=0.0)
    context = {
        "page": build(
            work=work, typed=typed, review=review, today=nothing, corrects=None, now=timezone.now()
        ),
        "skip_form": forms.SkipForm(),
        "keys": desk_words.keys(
            is_comparison=is_comparison, is_dialogue=work.campaign.asks_dialogue
        ),
    }
    template = "labeling/desk/compare.html" if is_comparison else "labeling/desk/write.html"
    return render(request, template, context, status=422 if review and review.problems else 200)
