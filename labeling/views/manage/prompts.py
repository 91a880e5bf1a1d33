"""Prompts: search, one prompt with its responses, and typing one in."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.requests import MemberRequest
from labeling import access, selectors, services
from labeling.forms.manage import PromptFilterForm, PromptForm

PROMPTS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    form = PromptFilterForm(request.GET)
    page = Paginator(selectors.prompt_list(wanted=form.wanted()), PROMPTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "is_filtered": bool(request.GET), "page": page, "rows": selectors.prompt_rows(prompts=page)}
    return render(request, "labeling/manage/prompts.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = access.prompt(user=request.user, pk=pk)
    context = {
        "prompt": prompt,
        "sources": selectors.responses_by_source(prompt=prompt),
        "campaigns": selectors.campaigns_of_prompt(prompt=prompt),
    }
    return render(request, "labeling/manage/prompt.html", context)


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = PromptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        prompt = services.create_prompt(
            messages=form.messages(),
            category=form.cleaned_data["category"],
            language=form.cleaned_data["language"],
            split=form.cleaned_data["split"],
            licence=form.cleaned_data["licence"],
            by=request.user,
            now=timezone.now(),
        )
        return redirect("prompt", prompt.pk)
    return render(request, "labeling/manage/prompt_new.html", {"form": form})
