"""An admin's pages of a campaign's conversations."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from labeling import access as labeling_access
from labeling.conversations.records import selectors
from labeling.models import Campaign, Conversation
from pages import list_pages
from pages.form_parts import sentence_case

PER_PAGE = 50
STATES = [*sentence_case(Conversation.State.choices), ("failed", _("With a model that failed"))]


@require_GET
def index(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    state = request.GET.get("state", "")
    conversations = selectors.conversations(
        campaign_id=campaign.pk, state=state if state in dict(STATES) else ""
    )
    page = list_pages.shown(request, conversations, size=PER_PAGE)
    context = {
        "campaign": campaign,
        "tab": "conversations",
        "page": page,
        "state": state,
        "states": STATES,
    }
    return render(request, "labeling/conversations/records/conversations.html", context)


@require_GET
def detail(request: HttpRequest, pk: int, conversation_pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    conversation = get_object_or_404(
        selectors.conversations(campaign_id=campaign.pk), pk=conversation_pk
    )
    context = {
        "campaign": campaign,
        "tab": "conversations",
        "conversation": conversation,
        "turns": selectors.turn_records(conversations=[conversation])[conversation.pk],
        "plan": campaign.conversation_plan,
    }
    return render(request, "labeling/conversations/records/conversation.html", context)


def _campaign(request: HttpRequest, pk: int) -> Campaign:
    campaign = labeling_access.campaign(user=request.user, pk=pk)
    if not campaign.about.talks:
        raise Http404
    return campaign
