"""My work: a rater's totals and answers, and appeals against reviews of them."""

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from arithmetic import days
from labeling import access as labeling_access
from labeling.desk import open_campaigns, why_this_item, work
from labeling.desk import words as desk_words
from labeling.desk.forms.my_work import HistoryForm
from labeling.models import Judgment
from labeling.queue.gold import selectors as gold_selectors
from labeling.review import rater_reviews
from labeling.review import services as review_services
from labeling.review.forms import WordsForm
from labeling.review.questions import selectors as question_selectors
from labeling.votes import withdrawn_texts
from pages import edit_conflicts, list_pages


@require_GET
def my_work(request: HttpRequest) -> HttpResponse:
    """A rater's work: today, this week, and answer by answer."""
    now = timezone.now()
    rater = labeling_access.rater(user=request.user)
    midnight = days.last_midnight(now, timezone.get_current_timezone())
    monday = midnight - dt.timedelta(days=timezone.localtime(now).weekday())
    form = HistoryForm(request.GET, rater=rater)
    page = list_pages.shown(request, work.history(rater=rater, filters=form.filters), size=50)
    verdicts = rater_reviews.verdicts_on(judgments=page)
    campaigns = list(open_campaigns.campaigns_open_to(rater=rater))
    pools = [campaign.pool for campaign in campaigns] + [
        judgment.campaign.pool for judgment in page if judgment.campaign
    ]
    skills = why_this_item.skills_of(rater=rater, pools=pools)
    lines = desk_words.my_campaigns(campaigns, work.held_slots(rater=rater), skills, now=now)
    in_progress = {line.held.lease for line in lines if line.held}
    # An item in progress is listed with its campaign.
    drafts = [
        (draft, lease)
        for draft, lease in work.drafts_of(rater=rater)
        if draft.version or lease is None or lease not in in_progress
    ]
    questions = list(question_selectors.questions_of(rater=rater)[:20])
    reviews = list(rater_reviews.reviews_of(rater=rater))
    gold_feedback = list(gold_selectors.gold_feedback(rater=rater))
    shown = [
        *((line.held, line.held.item.prompt) for line in lines if line.held),
        *((judgment, judgment.prompt) for judgment in page),
        *((draft, draft.item.prompt) for draft, _lease in drafts),
        *((question, question.item.prompt) for question in questions),
        *((entry.review, entry.review.judgment.prompt) for entry in reviews),
        *(
            (gold.answer, gold.answer.judgment.prompt)
            for entry in gold_feedback
            for gold in entry.golds
        ),
    ]
    withdrawn_texts.cover_on(shown, rater=rater)
    context = {
        "campaigns": lines,
        "today": desk_words.tally_words(
            work.tally(rater=rater, since=midnight),
            nothing=_("no answers yet"),
        ),
        "week": desk_words.tally_words(
            work.tally(rater=rater, since=monday), nothing=_("no answers yet")
        ),
        "judgments": page,
        "answers": [
            (judgment, verdicts.get(judgment.pk), _why_given(judgment, skills)) for judgment in page
        ],
        "drafts": drafts,
        "form": form,
        "is_filtered": bool(request.GET.keys() - {"page"}),
        "questions": questions,
        "reviews": reviews,
        "gold_feedback": gold_feedback,
    }
    return render(request, "labeling/desk/my_work.html", context)


def _why_given(judgment: Judgment, skills: why_this_item.RaterSkills) -> str:
    if judgment.campaign is None:
        return ""
    return desk_words.why_item(
        judgment.prompt, judgment.campaign.pool, skills, at=judgment.submitted_at
    )


@require_POST
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Files the rater's appeal against a review; one per review."""
    review = labeling_access.my_review(rater=labeling_access.rater(user=request.user), pk=pk)
    form = WordsForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Write something first."))
    elif review_services.appeal(review=review, text=form.cleaned_data["text"], now=timezone.now()):
        messages.info(
            request, _("Your appeal was sent to the reviewer. The answer will appear here.")
        )
    else:
        sentence = _("You have already appealed against this.")
        edit_conflicts.refuse(request, sentence, typed=form.cleaned_data["text"])
    return redirect("my_work")
