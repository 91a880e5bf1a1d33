"""Pages of guidelines: the list, a new one, its next version, and the differences between
versions.
"""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.guidelines import differences, rating_form, selectors, services, words
from labeling.guidelines.example_forms import BaseExamples, Examples, rows_of
from labeling.guidelines.forms import (
    BaseQuestions,
    GuidelineForm,
    GuidelineTextForm,
    Questions,
    moved,
    questions_of,
    with_principles,
)
from labeling.models import Guideline, GuidelineVersion
from pages import list_pages
from pages.form_parts import with_one_more

GUIDELINES_PER_PAGE = 50
GAPS_SHOWN = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    page = list_pages.shown(request, Guideline.objects.order_by("name"), size=GUIDELINES_PER_PAGE)
    return render(
        request,
        "labeling/guidelines/guidelines.html",
        {"page": page, "rows": selectors.guideline_rows(guidelines=page)},
    )


@require_http_methods(["GET", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    form = GuidelineForm(request.POST or None)
    questions = _questions(request, rating_form.default())
    examples = _examples(request, [])
    # Raters who write are shown no rating form, so there are no questions to check.
    is_for_writing = request.POST.get("purpose") == "write"
    are_fine = [form.is_valid(), is_for_writing or questions.is_valid(), examples.is_valid()]
    if _is_save(request) and all(are_fine):
        guideline = services.create_guideline(
            name=form.cleaned_data["name"],
            text=form.cleaned_data["text"],
            form=rating_form.RatingForm() if is_for_writing else questions.rating_form(),
            examples=examples.examples(),
            by=request.user,
            now=timezone.now(),
        )
        return redirect("guideline_history", guideline.pk)
    return render(
        request,
        "labeling/guidelines/guideline_edit.html",
        {"form": form, "questions": questions, "examples": examples},
    )


@require_http_methods(["GET", "POST"])
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """The next version: starts with the latest text and is saved under a new number."""
    guideline = labeling_access.guideline(user=request.user, pk=pk)
    latest = selectors.guideline_versions(guideline=guideline)[0]
    form = GuidelineTextForm(request.POST or None, initial={"text": latest.text})
    questions = _questions(request, rating_form.parse(latest.form))
    examples = _examples(request, rows_of(latest))
    if _is_save(request) and all([form.is_valid(), questions.is_valid(), examples.is_valid()]):
        text, rows = form.cleaned_data["text"], examples.examples()
        asked, is_major = questions.rating_form(), form.cleaned_data["is_major"]
        is_same = selectors.is_same(version=latest, text=text, form=asked, examples=rows)
        if is_major or not is_same:
            services.new_guideline_version(
                guideline=guideline,
                text=text,
                form=asked,
                examples=rows,
                is_major=is_major,
                by=request.user,
                now=timezone.now(),
            )
            return redirect("guideline_history", pk)
        form.add_error(None, _("Nothing has changed. Change the text, or go back."))
    context = {
        "form": form,
        "questions": questions,
        "examples": examples,
        "guideline": guideline,
        "latest": latest,
    }
    return render(request, "labeling/guidelines/guideline_edit.html", context)


@require_GET
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """One version as raters see it, and its differences to the previous one."""
    guideline = labeling_access.guideline(user=request.user, pk=pk)
    every = selectors.guideline_versions(guideline=guideline)
    shown = _chosen(every, request.GET.get("version"))
    before = next((version for version in every if version.number < shown.number), None)
    form = rating_form.parse(shown.form)
    context: dict[str, object] = {
        "guideline": guideline,
        "versions": every,
        "shown": shown,
        "before": before,
        "questions": [
            (question, words.condition_words(form, question)) for question in form.questions
        ],
        "campaigns": selectors.campaigns_of_guideline(guideline=guideline),
        "gaps": selectors.guideline_gaps(guideline=guideline)[:GAPS_SHOWN],
    }
    if before is not None:
        context["text_changes"] = differences.changes(
            before.text.splitlines(), shown.text.splitlines()
        )
        context["example_changes"] = selectors.example_changes(before=before, after=shown)
        context["form_changes"] = differences.changes(
            _form_lines(before), _form_lines(shown), context=1
        )
    return render(request, "labeling/guidelines/guideline_history.html", context)


def _is_save(request: HttpRequest) -> bool:
    return request.method == "POST" and not {"more", "move"} & request.POST.keys()


def _questions(request: HttpRequest, form: rating_form.RatingForm) -> BaseQuestions:
    """The formset, from the request or from `form`. The button “Add question” adds an empty row,
    “Add principles” a constitution's, and the arrows move a row.
    """
    data = with_one_more(request.POST, "questions") if request.method == "POST" else None
    if data is not None and "move" in data:
        data = moved(data, request.POST.get("move", ""))
    if data is not None and data.get("more") == "principles":
        data = with_principles(data)
    return cast(BaseQuestions, Questions(data, initial=questions_of(form), prefix="questions"))


def _examples(request: HttpRequest, rows: list[dict[str, object]]) -> BaseExamples:
    """The formset of examples, in the same way."""
    data = with_one_more(request.POST, "examples") if request.method == "POST" else None
    return cast(BaseExamples, Examples(data, initial=rows, prefix="examples"))


def _chosen(every: list[GuidelineVersion], number: str | None) -> GuidelineVersion:
    return next((version for version in every if str(version.number) == number), every[0])


def _form_lines(version: GuidelineVersion) -> list[str]:
    return differences.form_lines(rating_form.parse(version.form))
