"""The rater's pages: the desk, one item to compare or to write, and the small requests that an open
page sends.

Submitting is two transactions: store and commit, then claim the next, so that a failed claim never
undoes a judgment. A page with JavaScript sends the same forms with the header `X-Desk: fragment`
and gets JSON: {"review": HTML}, or {"next": address}, with the next item's HTML beside it when
there is one.
"""

import datetime as dt
import json
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling import access, desk_answers, desk_pages, desk_reading, desk_words, services
from labeling.forms import desk as forms
from labeling.forms.my_work import HistoryForm
from labeling.forms.review import WordsForm
from labeling.models import Campaign, Draft, Judgment, Pass
from labeling.selectors import crowd, golds, grounds, questions, reviews
from labeling.selectors import desk as selectors
from labeling.views.onward import next_address, next_step
from pages import days, plain_text
from pages import render as texts

BIGGEST_DRAFT = 2_000_000
EDITING = {
    "edit": desk_answers.begin_edit,
    "unedit": desk_answers.drop_edit,
    "extend": desk_answers.add_turns,
    "shorten": desk_answers.drop_turns,
}
"""Buttons that show the page anew with the editor opened or closed, or a dialogue's turns; scripts
do it by themselves.
"""


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("X-Desk") == "fragment"


# --- choosing work --------------------------------------------------------------------------------
@require_GET
def desk(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rater = access.rater(user=request.user)
    found = selectors.open_campaigns(rater=rater, since=days.last_midnight(now), now=now)
    skills = grounds.skills_of(rater=rater, pools=[each.campaign.pool for each in found])
    lines = [desk_words.campaign_line(each, skills, now=now) for each in found]
    today = selectors.tally(rater=rater, since=days.last_midnight(now))
    context = {
        "campaigns": lines,
        "today_words": desk_words.tally_words(today, nothing=_("Nothing judged today yet")),
        "undo": selectors.undoable(rater=rater, last_at=today.last_at, now=now),
        "person": desk_pages.person_key(rater),
        "visit": crowd.visit_at_work(rater=rater),
    }
    return render(request, "labeling/desk/desk.html", context)


@require_http_methods(["GET", "POST"])
def next_item(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """POST takes the next item; GET shows the one already held, or the button that takes one:
    reading never writes.
    """
    rater = access.rater(user=request.user)
    campaign = access.campaign_to_work_in(rater=rater, pk=campaign_id)
    if request.method == "POST":
        return redirect(next_address(request, campaign=campaign, rater=rater))
    lease = selectors.lease_held(rater=rater, campaign=campaign)
    if lease is not None:
        return redirect("desk_item", lease)
    return render(request, "labeling/desk/next.html", {"campaign": campaign})


# --- one item -------------------------------------------------------------------------------------
@require_GET
def item(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if not work.is_open:
        return _gone(request, work)
    return _page(request, work, _typed_before(work))


def _typed_before(work: selectors.Work) -> desk_answers.Typed:
    return desk_answers.Typed.of_draft(work.draft)


def _page(
    request: HttpRequest,
    work: selectors.Work,
    typed: desk_answers.Typed,
    *,
    status: int = 200,
    review: desk_answers.Review | None = None,
    skip_form: forms.SkipForm | None = None,
    corrects: Judgment | None = None,
) -> HttpResponse:
    now = timezone.now()
    today = selectors.tally(rater=work.rater, since=days.last_midnight(now))
    is_comparison = work.campaign.kind == Campaign.Kind.COMPARISON
    context = {
        "page": desk_pages.page(
            work=work, typed=typed, review=review, today=today, corrects=corrects, now=now
        ),
        "undo": selectors.undoable(rater=work.rater, last_at=today.last_at, now=now),
        "skip_form": skip_form or forms.SkipForm(),
        "keys": desk_words.keys(
            is_comparison=is_comparison, is_dialogue=work.campaign.asks_dialogue
        ),
    }
    template = "labeling/desk/compare.html" if is_comparison else "labeling/desk/write.html"
    return render(request, template, context, status=status)


def _next_item(request: HttpRequest, work: selectors.Work, judgment: Judgment) -> str:
    """What an open page puts in the place of the item just judged."""
    now = timezone.now()
    today = selectors.tally(rater=work.rater, since=days.last_midnight(now))
    page = desk_pages.page(work=work, typed=_typed_before(work), today=today, now=now)
    is_comparison = work.campaign.kind == Campaign.Kind.COMPARISON
    context = {
        "page": page,
        "undo": judgment if selectors.may_undo(judgment, now=now) else None,
        "skip_form": forms.SkipForm(),
        "work": "labeling/desk/_compare.html" if is_comparison else "labeling/desk/_write.html",
    }
    return _part(
        request,
        "labeling/desk/item_fragment.html",
        context | {"messages": messages.get_messages(request)},
    )


def _part(request: HttpRequest, template: str, context: dict[str, Any]) -> str:
    """A piece of a page. It gets what it asks for and not what stands around every page: that costs
    three queries.
    """
    return render_to_string(template, context | {"csrf_token": get_token(request)})


def _gone(request: HttpRequest, work: selectors.Work) -> HttpResponse:
    """What became of a lease that is no longer open."""
    judgment = selectors.judgment_under(work=work)
    if judgment is not None:
        at = timezone.localtime(judgment.submitted_at)
        context = {
            "heading": _("Stored"),
            "sentence": (
                _("You submitted this answer on %(day)s at %(time)s.")
                % {
                    "day": at.strftime("%Y-%m-%d"),
                    "time": at.strftime("%H:%M"),
                }
            ),
            "campaign": judgment.campaign,
            "given": desk_reading.given(work=work, judgment=judgment),
            "correct": (
                judgment.lease
                if judgment.campaign and judgment.campaign.state == Campaign.State.OPEN
                else None
            ),
        }
        return render(request, "labeling/desk/gone.html", context)
    context = {
        "heading": _("No longer yours"),
        "sentence": _(
            "You skipped this item or gave it back. What you typed is kept as a draft and comes"
            " back if the item does."
        ),
        "campaign": work.campaign,
    }
    return render(request, "labeling/desk/gone.html", context, status=410)


@require_GET
def guideline(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """The instructions for this piece of work: a page of its own, or the panel beside the work."""
    version = access.work(user=request.user, lease=lease).version
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
def diff(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """Response `of` by words against response `to`, both named by letter."""
    work = access.work(user=request.user, lease=lease)
    pair = desk_reading.diff(work=work, of=request.GET.get("of", ""), to=request.GET.get("to", ""))
    return render(request, "labeling/desk/_diff.html", {"pair": pair}, status=200 if pair else 400)


@require_POST
def preview(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    access.work(user=request.user, lease=lease)
    return HttpResponse(texts.markdown_once(request.POST.get("text", "")))


# --- what an open page sends ----------------------------------------------------------------------
@require_POST
def draft(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    """Keeps what is typed. The body is JSON: {"revision": int, "fields": {name: [text, …]},
    "record": what the page measured, "version": of the answer that is corrected, or 0}.
    """
    work = access.work(user=request.user, lease=lease)
    if len(request.body) > BIGGEST_DRAFT:
        return JsonResponse(
            {"error": _("The draft is too long to keep here; it is still in this browser.")},
            status=413,
        )
    try:
        raw = json.loads(request.body)
        content = desk_answers.Typed.of_json(raw).as_draft
    except (ValueError, RecursionError):
        return JsonResponse({"error": _("This draft could not be read.")}, status=400)
    now = timezone.now()
    if _save(work, content, version=forms.version(str(raw.get("version", 0))), now=now) is None:
        return JsonResponse({"is_stored": True})
    return JsonResponse({"saved": timezone.localtime(now).strftime("%H:%M:%S")})


def _save(
    work: selectors.Work, content: dict[str, Any], *, version: int, now: dt.datetime
) -> Draft | None:
    if version:
        return services.draft_correction(
            lease=work.lease, rater=work.rater, version=version, content=content, now=now
        )
    return services.save_draft(item=work.item, rater=work.rater, content=content, now=now)


@require_POST
def heartbeat(request: HttpRequest, lease: uuid.UUID) -> JsonResponse:
    now = timezone.now()
    expires_at = services.heartbeat(lease=lease, rater=access.rater(user=request.user), now=now)
    if expires_at is None:
        is_stored = (
            access.work(user=request.user, lease=lease).standing == selectors.Standing.STORED
        )
        return JsonResponse({"is_gone": True, "is_stored": is_stored})
    return JsonResponse({"expires_in_s": int((expires_at - now).total_seconds())})


# --- finishing ------------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    if request.method == "GET":  # the address of a page that was refused, opened again
        return redirect("desk_item", lease)
    work = access.work(user=request.user, lease=lease)
    if work.standing == selectors.Standing.ENDED:
        return _gone(request, work)
    typed = desk_answers.Typed.of_post(request.POST)
    step = request.POST.get("step", "review")
    if step == "draft":
        services.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )
        return redirect("desk_item", lease)
    if step in EDITING:
        return _page(request, work, EDITING[step](work=work, typed=typed))
    answer = desk_answers.read(work=work, typed=typed, now=timezone.now())
    if work.is_open and not (step in {"submit", "stop"} and answer.may_be_stored):
        return _review(request, work, answer)
    try:
        judgment = _store(work, answer)
    except services.UnableToSubmit as error:
        return _review(request, work, replace(answer, refusal=str(error)))
    if not work.is_open:  # sent twice, or changed after going back in the browser
        messages.info(request, _("This item was stored already: the first answer counts."))
    return _stored(request, work, judgment, is_last=step == "stop")


def _store(work: selectors.Work, answer: desk_answers.Answer) -> Judgment:
    if isinstance(answer.given, forms.ComparisonAnswer):
        return services.submit_comparison(
            held=work.shown, shown=answer.shown, **_comparison(work, answer.given, answer)
        )
    return services.submit_demonstration(**_demonstration(work, answer.given, answer))


def _comparison(
    work: selectors.Work, given: forms.ComparisonAnswer, answer: desk_answers.Answer
) -> dict[str, Any]:
    return {
        "ranks": given.ranks,
        "ratings": given.ratings,
        "reason": given.reason,
        "strength": given.strength,
        "is_all_bad": given.is_all_bad,
        "edit": None if given.edit_of is None else services.Edit(given.edit_of, given.edit),
    } | _about(work, answer)


def _demonstration(
    work: selectors.Work, given: forms.DemonstrationAnswer, answer: desk_answers.Answer
) -> dict[str, Any]:
    return {"text": given.text, "further": given.further, "sources": given.sources} | _about(
        work, answer
    )


def _about(work: selectors.Work, answer: desk_answers.Answer) -> dict[str, Any]:
    return {
        "lease": work.lease,
        "rater": work.rater,
        "presentation": answer.recorded.presentation,
        "active_s": answer.recorded.active_s,
        "warnings": answer.warnings,
        "now": timezone.now(),
    }


def _stored(
    request: HttpRequest, work: selectors.Work, judgment: Judgment, *, is_last: bool
) -> HttpResponse:
    if is_last:
        messages.info(request, _("Stored. Nothing is reserved for you now."))
        return (
            JsonResponse({"next": reverse("desk")}) if _is_fragment(request) else redirect("desk")
        )
    step = next_step(request, campaign=work.campaign, rater=work.rater, worked_by=work.version.pk)
    if not _is_fragment(request):
        return redirect(step.address)
    if step.slot is None:
        return JsonResponse({"next": step.address})
    taken = selectors.work_taken(slot=step.slot, last=work)
    return JsonResponse({"next": step.address, "html": _next_item(request, taken, judgment)})


def _review(
    request: HttpRequest,
    work: selectors.Work,
    answer: desk_answers.Answer,
    *,
    corrects: Judgment | None = None,
) -> HttpResponse:
    review = answer.review
    if _is_fragment(request):
        html = _part(request, "labeling/desk/_review.html", {"review": review})
        return JsonResponse({"review": html, "is_ready": not review.problems})
    return _page(
        request,
        work,
        answer.typed,
        status=422 if review.problems else 200,
        review=review,
        corrects=corrects,
    )


# --- second thoughts ------------------------------------------------------------------------------
@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """As if it had not been submitted: back to the item, with what was typed."""
    work = access.work(user=request.user, lease=lease)
    judgment = selectors.judgment_under(work=work) if request.method == "POST" else None
    if judgment is None:  # undone already
        return _lead(request, reverse("desk_item", args=[lease]))
    draft = desk_answers.Typed.of_judgment(judgment).with_record_of(judgment).as_draft
    try:
        services.undo(lease=lease, rater=work.rater, draft=draft, now=timezone.now())
    except services.UnableToUndo as error:
        if (
            selectors.judgment_under(work=work) is None
        ):  # by the same request, sent again before this one was answered
            return _lead(request, reverse("desk_item", args=[lease]))
        if _is_fragment(request):  # nobody is led away from what they do by now
            return JsonResponse({"said": error.sentence})
        messages.warning(request, error.sentence)
        return _lead(request, reverse("my_work"))
    return _lead(request, reverse("desk_item", args=[lease]))


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """An answer of mine, opened again; submitting makes its next version."""
    work = access.work(user=request.user, lease=lease)
    judgment = selectors.judgment_under(work=work)
    if judgment is None or work.campaign.state != Campaign.State.OPEN:
        return redirect("desk_item", lease)
    if request.method == "GET":
        draft = selectors.correction_draft(judgment=judgment)
        typed = (
            desk_answers.Typed.of_draft(draft)
            if draft
            else desk_answers.Typed.of_judgment(judgment)
        )
        return _page(request, work, typed, corrects=judgment)
    typed = desk_answers.Typed.of_post(request.POST)
    step = request.POST.get("step", "review")
    if step == "draft":
        _save(
            work,
            typed.as_draft,
            version=forms.version(request.POST.get("version", "")),
            now=timezone.now(),
        )
        return redirect("desk_correct", lease)
    if step == "drop":
        services.drop_correction(item=work.item, rater=work.rater)
        messages.info(request, _("Dropped. Your answer stays as it was."))
        return _lead(request, reverse("my_work"))
    if step in EDITING:
        return _page(request, work, EDITING[step](work=work, typed=typed), corrects=judgment)
    answer = desk_answers.read(work=work, typed=typed, corrects=True, now=timezone.now())
    if not (step in {"submit", "stop"} and answer.may_be_stored):
        return _review(request, work, answer, corrects=judgment)
    try:
        _store_correction(work, answer, version=forms.version(request.POST.get("version", "")))
    except services.UnableToSubmit as error:
        return _review(request, work, replace(answer, refusal=str(error)), corrects=judgment)
    messages.info(request, _("Corrected. This version counts from now on."))
    return _lead(request, reverse("my_work"))


def _store_correction(work: selectors.Work, answer: desk_answers.Answer, *, version: int) -> None:
    if isinstance(answer.given, forms.ComparisonAnswer):
        services.correct_comparison(version=version, **_comparison(work, answer.given, answer))
    else:
        services.correct_demonstration(
            version=version, **_demonstration(work, answer.given, answer)
        )


@require_http_methods(["GET", "POST"])
def skip(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if request.method == "POST" and work.is_skipped:  # sent again: the answer to the first was lost
        return _lead(
            request,
            next_address(
                request, campaign=work.campaign, rater=work.rater, worked_by=work.version.pk
            ),
        )
    if request.method == "GET" or not work.is_open:
        return _lead(request, reverse("desk_item", args=[lease]))
    form = forms.SkipForm(request.POST)
    if not form.is_valid() and _is_fragment(request):
        return JsonResponse({"error": _("Choose why you skip it.")}, status=422)
    if not form.is_valid():
        return _page(request, work, _typed_before(work), status=422, skip_form=form)
    services.skip(
        lease=lease,
        rater=work.rater,
        reason=Pass.Reason(form.cleaned_data["reason"]),
        note=form.cleaned_data["note"],
        active_s=forms.read_record(dict(request.POST.lists())).active_s,
        now=timezone.now(),
    )
    return _lead(
        request,
        next_address(request, campaign=work.campaign, rater=work.rater, worked_by=work.version.pk),
    )


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    """A question to the admins; the work on the item goes on."""
    work = access.work(user=request.user, lease=lease)
    page = redirect(
        "desk_correct" if work.standing == selectors.Standing.STORED else "desk_item", lease
    )
    if request.method == "GET":
        return page
    text = plain_text.storable(request.POST.get("question", "")).strip()
    if text:
        services.ask_about(
            item=work.item,
            rater=work.rater,
            text=text[: forms.LONGEST_QUESTION],
            now=timezone.now(),
        )
    said = (
        _("Your question went to the admins. The answer comes to My work.")
        if text
        else _("The question is empty.")
    )
    if _is_fragment(request):
        return JsonResponse({"said": said})
    _keep_typed(request, work)
    messages.add_message(request, messages.INFO if text else messages.WARNING, said)
    return page


@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    """What this rater gave: today, this week, and one by one."""
    now = timezone.now()
    rater = access.rater(user=request.user)
    monday = days.last_midnight(now) - dt.timedelta(days=timezone.localtime(now).weekday())
    form = HistoryForm(request.GET, rater=rater)
    page = Paginator(selectors.history(rater=rater, wanted=form.wanted), 50).get_page(
        request.GET.get("page")
    )
    verdicts = reviews.verdicts_on(judgments=page)
    campaigns = list(selectors.campaigns_open_to(rater=rater))
    pools = [campaign.pool for campaign in campaigns] + [
        judgment.campaign.pool for judgment in page if judgment.campaign
    ]
    skills = grounds.skills_of(rater=rater, pools=pools)
    context = {
        "campaigns": desk_words.my_campaigns(
            campaigns, selectors.in_hand(rater=rater), skills, now=now
        ),
        "today": desk_words.tally_words(
            selectors.tally(rater=rater, since=days.last_midnight(now)), nothing=_("nothing yet")
        ),
        "week": desk_words.tally_words(
            selectors.tally(rater=rater, since=monday), nothing=_("nothing yet")
        ),
        "judgments": page,
        "answers": [
            (judgment, verdicts.get(judgment.pk), _why_given(judgment, skills)) for judgment in page
        ],
        "drafts": selectors.drafts_of(rater=rater),
        "form": form,
        "is_filtered": bool(request.GET.keys() - {"page"}),
        "questions": questions.questions_of(rater=rater)[:20],
        "reviews": reviews.reviews_of(rater=rater),
        "told": golds.told_of_golds(rater=rater),
    }
    return render(request, "labeling/desk/my_work.html", context)


def _why_given(judgment: Judgment, skills: grounds.Skills) -> str:
    if judgment.campaign is None:
        return ""
    return desk_words.why_item(
        judgment.prompt, judgment.campaign.pool, skills, at=judgment.submitted_at
    )


@require_POST
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """A sentence against a review of mine, once."""
    review = access.my_review(rater=access.rater(user=request.user), pk=pk)
    form = WordsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Nothing is written yet."))
    elif services.appeal(review=review, text=form.cleaned_data["text"], now=timezone.now()):
        messages.info(request, _("Your appeal went to the reviewer. The answer comes here."))
    else:
        messages.info(request, _("You have appealed against this already."))
    return redirect("my_work")


@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, lease: uuid.UUID) -> HttpResponse:
    work = access.work(user=request.user, lease=lease)
    if request.method == "GET":
        return redirect("desk_item", lease)
    _keep_typed(request, work)
    services.release(lease=lease, rater=work.rater, now=timezone.now())
    messages.info(request, _("Given back. Your draft is kept."))
    return _lead(request, reverse("desk"))


def _keep_typed(request: HttpRequest, work: selectors.Work) -> None:
    """The answer that came along, as a draft; an item on which nothing was ever typed gets none."""
    typed = desk_answers.Typed.of_post(request.POST)
    version = forms.version(request.POST.get("version", ""))
    if version:
        _save(work, typed.as_draft, version=version, now=timezone.now())
    elif work.is_open and (typed.has_words or work.draft is not None):
        services.save_draft(
            item=work.item, rater=work.rater, content=typed.as_draft, now=timezone.now()
        )


def _lead(request: HttpRequest, address: str) -> HttpResponse:
    return JsonResponse({"next": address}) if _is_fragment(request) else redirect(address)
