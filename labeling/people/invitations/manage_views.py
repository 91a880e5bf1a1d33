"""An admin's page of a pool's invitations: create one or many from a file, resend, revoke."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.shell import requests
from accounts.shell.requests import MemberRequest
from labeling import access as labeling_access
from labeling.people.invitations import mail, selectors, services
from labeling.people.invitations.forms import InviteForm
from labeling.people.invitations.services import Sent
from pages import edit_conflicts, list_pages

INVITATIONS_PER_PAGE = 50
MOST_LINKS_SHOWN = 20


@require_http_methods(["GET", "POST"])
def index(request: MemberRequest, pk: int) -> HttpResponse:
    """The list with the form; POST invites. If any line of the file is bad, nobody is invited."""
    pool, now = labeling_access.pool(user=request.user, pk=pk), timezone.now()
    form = InviteForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            sent = services.invite_to_pool(
                pool=pool, invitees=form.cleaned_data["invitees"], by=request.user, now=now
            )
        except services.UnableToInvite as problem:
            form.add_error(None, problem.sentence)
        else:
            _say_how_many(request, len(sent))
            _send(request, sent)
            return redirect("invitations", pk)
    state = request.GET.get("state", "")
    page = list_pages.shown(
        request, selectors.invitations(pool_id=pk, state=state, now=now), size=INVITATIONS_PER_PAGE
    )
    context = {
        "pool": pool,
        "form": form,
        "page": page,
        "rows": selectors.invitation_rows(invitations=page, now=now),
        "state": state,
        "states": selectors.InvitationState.choices,
        "links": request.session.pop("invitation-links", []),
    }
    return render(
        request,
        "labeling/people/invitations/invitations.html",
        context,
        status=422 if form.errors else 200,
    )


@require_POST
def resend(request: MemberRequest, pk: int) -> HttpResponse:
    """A link that somebody else has sent since the page was opened stays the one that works."""
    invitation = labeling_access.invitation(user=request.user, pk=pk)
    if edit_conflicts.has_changed(request.POST, invitation.expires_at):
        edit_conflicts.refuse(request, edit_conflicts.nothing_done())
        return redirect("invitations", invitation.pool_id)
    try:
        sent = services.resend_invitation(
            invitation=invitation, by=request.user, now=timezone.now()
        )
    except services.UnableToInvite as problem:
        messages.warning(request, problem.sentence)
        return redirect("invitations", invitation.pool_id)
    if sent is None:
        messages.info(
            request,
            _("The invitation was accepted or revoked in the meantime, so nothing was sent."),
        )
    else:
        messages.success(
            request, _("A new link was sent to %(email)s.") % {"email": invitation.email}
        )
        _send(request, [sent])
    return redirect("invitations", invitation.pool_id)


@require_POST
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = labeling_access.invitation(user=request.user, pk=pk)
    if services.revoke_invitation(invitation=invitation, by=request.user, now=timezone.now()):
        messages.success(
            request,
            _("Revoked. The link sent to %(email)s no longer works.") % {"email": invitation.email},
        )
    return redirect("invitations", invitation.pool_id)


def _say_how_many(request: MemberRequest, n: int) -> None:
    if n:
        sentence = ngettext("%(n)d invitation sent.", "%(n)d invitations sent.", n)
        messages.success(request, sentence % {"n": n})
    else:
        messages.info(request, _("Everyone you entered is already in the pool."))


def _send(request: MemberRequest, sent: list[Sent]) -> None:
    """Mails the links, and shows a few of them once on the next page, for admins who pass them on
    in person.
    """

    def address_of(secret: str) -> str:
        return requests.site_address(request) + reverse("join", args=[secret])

    if sent and not mail.send(sent=sent, address_of=address_of, by=request.user):
        messages.error(
            request,
            _("The e-mails could not be sent. Share the links yourself, or send them again later."),
        )
    request.session["invitation-links"] = [
        {"email": entry.invitation.email, "address": address_of(entry.secret)}
        for entry in sent[:MOST_LINKS_SHOWN]
    ]
