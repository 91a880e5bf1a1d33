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
    refuse_taken_name(name=name)
    _refuse_bad_address(url)
    _refuse_foreign_key(url, key_variable)
    _refuse_readable_key(url, key_variable)
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
        audit_log.record(by, "register", model, after=after, now=now)
    return model


def endpoint_of(*, model: TrainedModel) -> Endpoint | None:
    """The endpoint of an external model; None for others."""
    return Endpoint.objects.filter(model=model).first()


def check_use(*, endpoint: Endpoint) -> None:
    """Checks again before use: the operator may have changed the list of hosts. Raises
    UnableToRegister.
    """
    _refuse_bad_address(endpoint.url)
    _refuse_foreign_key(endpoint.url, endpoint.key_variable)


def allowed_hosts() -> dict[str, str]:
    """Hosts, as host or host:port, and the variable of the only key that may be sent there; "" for
    any key that belongs to no host.
    """
    named = (entry.partition("=") for entry in settings.ENDPOINT_HOSTS)
    return {host.strip().lower(): key.strip() for host, _equals, key in named}


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
    if _names(parts).isdisjoint(allowed_hosts()):
        sentence = _(
            "The host %(host)s is not allowed. An operator can add it to PREFERABLY_ENDPOINT_HOSTS."
        )
        raise UnableToRegister(sentence % {"host": host if port is None else f"{host}:{port}"})


def _refuse_foreign_key(url: str, key_variable: str) -> None:
    """A key that belongs to a host is sent to no other, and that host gets no other key."""
    bound = allowed_hosts()
    own = {bound[host] for host in _names(urlsplit(url)) if host in bound} - {""}
    if key_variable and key_variable not in own and (own or key_variable in bound.values()):
        raise UnableToRegister(
            _(
                "The key %(key)s belongs to another host. PREFERABLY_ENDPOINT_HOSTS says which key"
                " may be sent where."
            )
            % {"key": key_variable}
        )


def _refuse_readable_key(url: str, key_variable: str) -> None:
    """Over http, a key can be read on its way. An operator who names it beside the host accepts
    that.
    """
    parts, bound = urlsplit(url), allowed_hosts()
    is_accepted = key_variable in {bound.get(host, "") for host in _names(parts)}
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if key_variable and parts.scheme == "http" and not is_here and not is_accepted:
        raise UnableToRegister(
            _(
                "Over http, others can read the key. Use https, or ask an operator to add"
                " %(entry)s to PREFERABLY_ENDPOINT_HOSTS."
            )
            % {"entry": f"{parts.netloc}={key_variable}"}
        )


def _names(parts: SplitResult) -> set[str]:
    """The names under which the list may have it: `host` allows every port, `host:port` only that
    one.
    """
    host, usual = (parts.hostname or "").lower(), 443 if parts.scheme == "https" else 80
    return {host, f"{host}:{parts.port or usual}"}
