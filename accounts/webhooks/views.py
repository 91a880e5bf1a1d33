"""Webhooks: the list, creating one, and the delivery log."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Delivery, User, Webhook
from accounts.webhooks import services
from accounts.webhooks.forms import WebhookForm


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/webhooks/webhooks.html", {"webhooks": services.webhooks()})


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Creates a webhook and shows its secret once."""
    assert isinstance(request.user, User)
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            webhook, secret = services.create_webhook(
                **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except services.UnableToCreateWebhook as problem:
            form.add_error("url", problem.sentence)
        else:
            return render(
                request,
                "accounts/webhooks/webhook_made.html",
                {"webhook": webhook, "secret": secret},
            )
    return render(
        request,
        "accounts/webhooks/webhook_new.html",
        {"form": form},
        status=422 if form.errors else 200,
    )


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = get_object_or_404(Webhook, pk=pk)
    has_two = webhook.old_salt_until is not None and webhook.old_salt_until > timezone.now()
    context = {
        "webhook": webhook,
        "log": services.log_of(webhook=webhook),
        "has_two_secrets": has_two,
    }
    return render(request, "accounts/webhooks/webhook.html", context)


@never_cache
@require_POST
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Creates a new secret and shows it once."""
    assert isinstance(request.user, User)
    webhook = get_object_or_404(Webhook, pk=pk)
    try:
        webhook, secret = services.rotate_secret(
            webhook=webhook, by=request.user, now=timezone.now()
        )
    except services.UnableToRotate as problem:
        messages.warning(request, problem.sentence)
        return redirect("webhook", pk)
    return render(
        request,
        "accounts/webhooks/webhook_made.html",
        {"webhook": webhook, "secret": secret, "is_rotated": True},
    )


@require_POST
def end_secret(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    if services.end_old_secret(
        webhook=get_object_or_404(Webhook, pk=pk), by=request.user, now=timezone.now()
    ):
        messages.success(request, _("The previous secret no longer works."))
    return redirect("webhook", pk)


@require_POST
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    services.disable_webhook(
        webhook=get_object_or_404(Webhook, pk=pk), by=request.user, now=timezone.now()
    )
    return redirect("webhook", pk)


@require_POST
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    services.enable_webhook(
        webhook=get_object_or_404(Webhook, pk=pk), by=request.user, now=timezone.now()
    )
    return redirect("webhook", pk)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    services.delete_webhook(
        webhook=get_object_or_404(Webhook, pk=pk), by=request.user, now=timezone.now()
    )
    messages.success(request, _("Webhook and log deleted."))
    return redirect("webhooks")


@require_POST
def redeliver(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    delivery = get_object_or_404(Delivery.objects.select_related("webhook"), pk=pk)
    if services.redeliver(delivery=delivery, by=request.user, now=timezone.now()):
        messages.success(request, _("Sending again within a few seconds."))
    return redirect("webhook", delivery.webhook_id)
