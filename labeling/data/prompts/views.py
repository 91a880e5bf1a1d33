"""Pages of prompts: search, one prompt with its responses, create, edit as a new version, and
retire.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.data.prompts import selectors, services
from labeling.data.prompts import upsetting as prompts_upsetting
from labeling.data.prompts.forms import PromptEditForm, PromptFilterForm, PromptForm
from labeling.models import Prompt
from labeling.people.content_settings.forms import UpsettingForm
from labeling.queue.cases import selectors as cases_selectors
from labeling.splits import places
from pages import list_pages

PROMPTS_PER_PAGE = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    form = PromptFilterForm(request.GET)
    page = list_pages.shown(
        request, selectors.prompt_list(filters=form.filters()), size=PROMPTS_PER_PAGE
    )
    context = {
        "form": form,
        "is_filtered": bool(request.GET),
        "page": page,
        "rows": selectors.prompt_rows(prompts=page),
    }
    return render(request, "labeling/data/prompts.html", context)


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = labeling_access.prompt(user=request.user, pk=pk)
    return _page(request, prompt, _upsetting(prompt))


def _page(
    request: HttpRequest, prompt: Prompt, upsetting: UpsettingForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "prompt": prompt,
        "sources": selectors.responses_by_source(prompt=prompt),
        "campaigns": selectors.campaigns_of_prompt(prompt=prompt),
        "next": Prompt.objects.filter(supersedes=prompt).first(),
        "cases": cases_selectors.cases_of_prompt(prompt=prompt),
        "upsetting": upsetting,
    }
    return render(request, "labeling/data/prompt.html", context, status=status)


def _upsetting(prompt: Prompt, data: QueryDict | None = None) -> UpsettingForm:
    return UpsettingForm(data, initial={"kinds": prompt.sensitive})


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = PromptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            prompt = services.create_prompt(
                messages=form.messages(),
                category=form.cleaned_data["category"],
                language=form.cleaned_data["language"],
                split=form.cleaned_data["split"],
                licence=form.cleaned_data["licence"],
                constraints=form.cleaned_data["constraints"],
                by=request.user,
                now=timezone.now(),
            )
        except places.UnableToPlace as problem:
            form.add_error(None, problem.sentence)
        else:
            return redirect("prompt", prompt.pk)
    status = 422 if form.errors else 200
    return render(request, "labeling/data/prompt_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    prompt = labeling_access.prompt(user=request.user, pk=pk)
    form = PromptEditForm(request.POST or None, prompt=prompt)
    if request.method == "POST" and form.is_valid():
        try:
            edited = services.edit_prompt(
                prompt=prompt,
                messages=form.messages(),
                category=form.cleaned_data["category"],
                language=form.cleaned_data["language"],
                constraints=form.cleaned_data["constraints"],
                keeps_responses=form.cleaned_data["keeps_responses"],
                by=request.user,
                now=timezone.now(),
            )
        except services.UnableToEdit as problem:
            form.add_error(None, problem.sentence)
        else:
            back = ngettext(
                "%(n)d item is back in the queue.",
                "%(n)d items are back in the queue.",
                edited.n_items,
            )
            saved = _("Saved as version %(version)d.") % {"version": edited.prompt.version}
            messages.success(request, f"{saved} {back % {'n': edited.n_items}}")
            return redirect("prompt", edited.prompt.pk)
    context = {"form": form, "prompt": prompt}
    return render(
        request, "labeling/data/prompt_edit.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
def retire(request: MemberRequest, pk: int) -> HttpResponse:
    """GET asks for confirmation, POST retires."""
    prompt = labeling_access.prompt(user=request.user, pk=pk)
    if request.method == "POST":
        try:
            services.retire_prompt(prompt=prompt, by=request.user, now=timezone.now())
        except services.UnableToEdit as problem:
            messages.warning(request, problem.sentence)
        return redirect("prompt", pk)
    context = {"prompt": prompt, "campaigns": selectors.campaigns_of_prompt(prompt=prompt)}
    return render(request, "labeling/data/prompt_retire.html", context)


@require_POST
def upsetting(request: MemberRequest, pk: int) -> HttpResponse:
    """Sets the kinds of upsetting content, without a new version."""
    prompt = labeling_access.prompt(user=request.user, pk=pk)
    form = _upsetting(prompt, request.POST)
    if not form.is_valid():
        return _page(request, prompt, form, status=422)
    prompts_upsetting.mark_upsetting(
        prompt=prompt, kinds=form.cleaned_data["kinds"], by=request.user, now=timezone.now()
    )
    messages.success(request, _("Saved. Applies from the next item."))
    return redirect("prompt", pk)
