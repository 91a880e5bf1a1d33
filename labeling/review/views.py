"""Pages of review: the queue, one item with all its answers and the decision, and appeals."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.models import Item
from labeling.quality.pages import consensus_words
from labeling.queue.cases import selectors as cases_selectors
from labeling.queue.gold import services as gold_services
from labeling.review import selectors, services
from labeling.review import set_aside as review_set_aside
from labeling.review.forms import (
    LONGEST,
    QueueForm,
    ReviewDecisionForm,
    ReviewScoresForm,
    WordsForm,
)
from labeling.votes import item_consensus, rating_consensus
from pages import edit_conflicts, list_pages
from pages.edit_conflicts import CheckedField, Unsaved

ROWS_PER_PAGE = 50
APPEALS_PER_PAGE = 25
TYPED = "review_typed"
"""In a session: what is typed of a decision that is not saved yet, by item."""


@require_GET
def queue(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    form = QueueForm(request.GET, campaign=campaign)
    order, is_blind = form.choice
    page = list_pages.shown(
        request, selectors.review_queue(campaign=campaign, order=order), size=ROWS_PER_PAGE
    )
    context = {
        "campaign": campaign,
        "tab": "review",
        "form": QueueForm(
            {"order": order, "names": "" if is_blind else "shown"}, campaign=campaign
        ),
        "order": order,
        "page": page,
        "rows": selectors.items_of(rows=page),
        "n_waiting": selectors.n_waiting(campaign=campaign),
        "query": _query(order, is_blind),
    }
    return render(request, "labeling/review/campaign_review.html", context)


@require_http_methods(["GET", "POST"])
def item(request: MemberRequest, pk: int, item_pk: int) -> HttpResponse:
    selected = labeling_access.item_to_review(user=request.user, campaign_pk=pk, pk=item_pk)
    order, is_blind = QueueForm(request.GET, campaign=selected.campaign).choice
    work = selectors.review_item(item=selected, is_blind=is_blind)
    form = _form(request, work)
    if request.method == "POST" and form.is_valid():
        try:
            _decide(selected, work, form, by=request.user)
        except services.UnableToReview as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(request, _("Saved. Raters see their feedback under My work."))
            return redirect(_next_page(selected, order, is_blind, goes_on="next" in request.POST))
    status = 422 if request.method == "POST" else 200
    return render(
        request,
        "labeling/review/review_item.html",
        _context(work, form, order, is_blind),
        status=status,
    )


@require_POST
def expert(request: MemberRequest, pk: int, item_pk: int, judgment_pk: int) -> HttpResponse:
    """Makes a gold from an answer."""
    judgment = labeling_access.judgment(
        user=request.user, campaign_pk=pk, item_pk=item_pk, pk=judgment_pk
    )
    try:
        gold_services.make_gold_of_answer(judgment=judgment, by=request.user, now=timezone.now())
    except gold_services.UnableToMakeGold as problem:
        messages.warning(request, problem.sentence)
        return _back_to_item(request, pk, item_pk)
    messages.success(request, _("This answer is now a gold item."))
    back = _back_to_item(request, pk, item_pk)
    return back if TYPED in request.session else redirect("campaign_gold", pk)


@require_POST
def set_aside(request: MemberRequest, pk: int, item_pk: int, judgment_pk: int) -> HttpResponse:
    judgment = labeling_access.judgment(
        user=request.user, campaign_pk=pk, item_pk=item_pk, pk=judgment_pk
    )
    reason = request.POST.get(f"aside-{judgment.pk}", "").strip()[:LONGEST]
    if review_set_aside.set_aside(
        judgment=judgment, reason=reason, by=request.user, now=timezone.now()
    ):
        aside = _(
            "Set aside. The answer stays paid and visible, but counts nowhere else until you"
            " restore it."
        )
        messages.success(
            request, f"{aside} {_('If its item needs another answer, another rater gets it.')}"
        )
    else:
        sentence = _("It had already been set aside.")
        edit_conflicts.refuse(request, sentence, typed=reason)
    return _back_to_item(request, pk, item_pk)


@require_POST
def take_back(request: MemberRequest, pk: int, item_pk: int, judgment_pk: int) -> HttpResponse:
    judgment = labeling_access.judgment(
        user=request.user, campaign_pk=pk, item_pk=item_pk, pk=judgment_pk
    )
    counted = review_set_aside.take_back(judgment=judgment, by=request.user, now=timezone.now())
    if counted is not None and counted.is_extra:
        messages.success(
            request,
            _(
                "Restored as an extra: another rater has answered the item in its place, or is"
                " doing so."
            ),
        )
    elif counted is not None:
        messages.success(request, _("Restored. It counts again."))
    return _back_to_item(request, pk, item_pk)


@require_GET
def appeals(request: HttpRequest) -> HttpResponse:
    return _appeals_page(request, is_answered=request.GET.get("state") == "answered")


def _appeals_page(
    request: HttpRequest, *, is_answered: bool, unsaved: Unsaved | None = None, status: int = 200
) -> HttpResponse:
    page = list_pages.shown(
        request, selectors.appeals(is_answered=is_answered), size=APPEALS_PER_PAGE
    )
    context = {
        "page": page,
        "is_answered": is_answered,
        "waiting": cases_selectors.n_waiting(),
        "unsaved": unsaved,
    }
    return render(request, "labeling/review/appeals.html", context, status=status)


@require_POST
def answer_appeal(request: MemberRequest, pk: int) -> HttpResponse:
    review = labeling_access.appealed_review(user=request.user, pk=pk)
    form = WordsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Write something first."))
        return redirect("appeals")
    text = form.cleaned_data["text"]
    if edit_conflicts.has_changed(request.POST, review.answer):
        return _appeals_page(request, is_answered=True, unsaved=Unsaved(pk, text), status=409)
    services.answer_appeal(review=review, text=text, by=request.user, now=timezone.now())
    messages.info(request, _("Answered. The rater sees it under My work."))
    return redirect("appeals")


# --- one item -------------------------------------------------------------------------------------


def _back_to_item(request: MemberRequest, pk: int, item_pk: int) -> HttpResponse:
    """After a button beside one answer: the item's page, with the decision typed so far. What
    somebody else has changed meanwhile is not typed over.
    """
    page = redirect("campaign_review_item", pk, item_pk)
    selected = labeling_access.item(user=request.user, campaign_pk=pk, pk=item_pk)
    form = _form(request, selectors.review_item(item=selected, is_blind=True))
    typed = form.typed()
    for field in form:
        assert isinstance(field, CheckedField)
        if field.name in typed and field.find_conflict():
            sentence = _("“%(field)s” was changed after you opened the page.")
            lost = str(typed.pop(field.name))
            edit_conflicts.refuse(request, sentence % {"field": field.label}, typed=lost)
    if typed:
        request.session[TYPED] = {str(item_pk): typed}
    return page


def _form(
    request: HttpRequest, work: selectors.ReviewItem
) -> ReviewDecisionForm | ReviewScoresForm:
    judgments = [entry.answer.judgment.pk for entry in work.answers]
    data = request.POST if request.method == "POST" else None
    initial: dict[str, object] = {}
    for entry in work.answers:
        if entry.review is not None:
            pk = entry.answer.judgment.pk
            initial |= {f"feedback-{pk}": entry.review.feedback, f"score-{pk}": entry.review.score}
    typed = {}
    if request.method == "GET":
        typed = request.session.pop(TYPED, {}).get(str(work.item.pk), {})
    if not work.item.campaign.compares:
        return ReviewScoresForm(data, judgments=judgments, initial=initial, begins_with=typed)
    letters = [entry.letter for entry in work.responses]
    if work.adjudication is not None:
        initial |= {"reason": work.adjudication.reason, "note": work.adjudication.note}
    initial |= _ranks_by_letter(work, work.decided)
    copied = _copied_ranks(work, request.GET.get("from", ""))
    return ReviewDecisionForm(
        data,
        letters=letters,
        judgments=judgments,
        initial=initial,
        begins_with=(_ranks_by_letter(work, copied) if copied else {}) | typed,
    )


def _ranks_by_letter(
    work: selectors.ReviewItem, ranks: Mapping[int, int | None]
) -> dict[str, object]:
    return {f"rank-{entry.letter}": ranks.get(entry.response.pk) for entry in work.responses}


def _copied_ranks(work: selectors.ReviewItem, judgment: str) -> Mapping[int, int | None]:
    """The order of the answer named in the URL, to begin with."""
    return next(
        (entry.ranks for entry in work.answers if str(entry.answer.judgment.pk) == judgment), {}
    )


def _decide(
    item: Item, work: selectors.ReviewItem, form: ReviewDecisionForm | ReviewScoresForm, *, by: User
) -> None:
    now = timezone.now()
    if isinstance(form, ReviewScoresForm):
        services.review_demonstrations(item=item, remarks=form.remarks(), by=by, now=now)
        return
    ranks = form.ranks()
    services.adjudicate(
        item=item,
        ranks={entry.response.pk: ranks[entry.letter] for entry in work.responses},
        reason=form.cleaned_data["reason"],
        note=form.cleaned_data["note"].strip(),
        remarks=form.remarks(),
        promotes=form.cleaned_data["promotes"],
        by=by,
        now=now,
    )


def _context(
    work: selectors.ReviewItem,
    form: ReviewDecisionForm | ReviewScoresForm,
    order: str,
    is_blind: bool,
) -> dict[str, object]:
    answers = []
    for entry in work.answers:
        pk = entry.answer.judgment.pk
        score = form[f"score-{pk}"] if isinstance(form, ReviewScoresForm) else None
        answers.append((entry, form[f"feedback-{pk}"], score))
    is_order = isinstance(form, ReviewDecisionForm)
    campaign, consensus = work.item.campaign, None
    if campaign.compares:
        agreed = item_consensus.consensus_of(
            campaign=campaign, answers=[entry.answer for entry in work.answers]
        )
        ratings = rating_consensus.ratings_of_items(campaign=campaign, items=[work.item])
        consensus = consensus_words.as_text(
            consensus=agreed, responses=work.responses, ratings=ratings[work.item.pk]
        )
    return {
        "campaign": campaign,
        "tab": "review",
        "item": work.item,
        "consensus": consensus,
        "work": work,
        "form": form,
        "is_order": is_order,
        "is_blind": is_blind,
        "responses": [
            (entry, form[f"rank-{entry.letter}"] if is_order else None) for entry in work.responses
        ],
        "answers": answers,
        "query": _query(order, is_blind),
    }


def _next_page(item: Item, order: str, is_blind: bool, *, goes_on: bool) -> str:
    after = (
        selectors.next_to_review(campaign=item.campaign, order=order, after=item)
        if goes_on
        else None
    )
    if after is None:
        address = reverse("campaign_review", args=[item.campaign_id])
    else:
        address = reverse("campaign_review_item", args=[item.campaign_id, after])
    return f"{address}?{_query(order, is_blind)}"


def _query(order: str, is_blind: bool) -> str:
    return urlencode({"order": order} | ({} if is_blind else {"names": "shown"}))
