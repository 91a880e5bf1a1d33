"""External models, behind an OpenAI-compatible API. Only hosts that the operator allows can be
registered.
"""

import re
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from labeling.data import intake
from training.models import Endpoint, TrainedModel
from training.processes.completions import KEY_PREFIX
from training.registry.services import UnableToRegister, opaque_name, refuse_taken_name

_KEY_NAME = re.compile(rf"{KEY_PREFIX}[A-Z0-9_]+")


def register_endpoint(
    *,
    name: str,
    url: str,
    served_name: str,
    licence: str,
    key_variable: str = "",
    notes: str = "",
    serves: TrainedModel | None = None,
    by: User,
    now: datetime,
) -> TrainedModel:
    """Registers a model without weights here, to talk to and sample from. Raises UnableToRegister.

    `serves`: the registered model that answers there. It becomes the parent, so that its training
    data counts for these answers too.
    """
    refuse_taken_name(name)
    _refuse_bad_address(url)
    if key_variable and not _KEY_NAME.fullmatch(key_variable):
        sentence = _(
            "The key variable must be named %(prefix)s… in capitals, so that no other secret can be"
            " sent away."
        )
        raise UnableToRegister(sentence % {"prefix": KEY_PREFIX})
    url = url.rstrip("/")
    with transaction.atomic():
        model = TrainedModel.objects.create(
            name=name,
            kind=TrainedModel.Kind.POLICY,
            location=url,
            licence=licence,
            notes=notes,
            parent=serves,
            source=intake.source_for_model(name=opaque_name(), licence=licence),
            created_by=by,
            created_at=now,
        )
        Endpoint.objects.create(
            model=model, url=url, served_name=served_name, key_variable=key_variable
        )
        after = {"name": name, "url": url, "served_name": served_name, "key_variable": key_variable}
        after |= {"serves": serves.name} if serves else {}
        audit_log.record(by=by, action="register", target=model, after=after, now=now)
    return model


def endpoint_of(*, model: TrainedModel) -> Endpoint | None:
    """The endpoint of an external model; None for others."""
    return Endpoint.objects.filter(model=model).first()


def check_host(*, url: str) -> None:
    """Checks again before use: the host may have been removed from the operator's list. Raises
    UnableToRegister.
    """
    _refuse_bad_address(url)


def _refuse_bad_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise UnableToRegister(
            _("“%(url)s” is not a valid URL. Write it as https://host/v1.") % {"url": url}
        ) from problem
    if (
        parts.scheme not in ("https", "http")
        or not host
        or parts.username
        or parts.password
        or parts.query
        or parts.fragment
    ):
        raise UnableToRegister(
            _(
                "“%(url)s” is not a valid URL. Write it as https://host/v1, without a user name or"
                " key."
            )
            % {"url": url}
        )
    if not _is_allowed(parts, host, port):
        sentence = _(
            "The host %(host)s is not allowed. An operator can add it to PREFERABLY_ENDPOINT_HOSTS."
        )
        raise UnableToRegister(sentence % {"host": host if port is None else f"{host}:{port}"})


def _is_allowed(parts: SplitResult, host: str, port: int | None) -> bool:
    """`host` on the list allows every port, `host:port` only that one."""
    usual = 443 if parts.scheme == "https" else 80
    return bool(
        {host.lower(), f"{host.lower()}:{port or usual}"}
        & {named.lower() for named in settings.ENDPOINT_HOSTS}
    )
