"""Where a webhook may lead: public addresses only, checked after the name is resolved."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that embed an IPv4 address."""
INSIDE_A_CLOUD = (
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's wire server, with an ordinary public number
    ipaddress.ip_network("3fff::/20"),  # documentation (RFC 9637), newer than Python's own list
)


@dataclass(frozen=True)
class Target:
    """A URL whose host name is replaced by its resolved IP address, so that the address that was
    checked is the one that is called.

    This prevents DNS rebinding: a name that resolves differently a moment later has no effect.
    """

    url: str
    name: str
    host: str


def is_inside(host: str) -> bool:
    """Whether a host that is written as a number, however, or as localhost is in this network. A
    name is looked up when it is called.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        entries = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return not all(is_outside(str(entry[4][0]).partition("%")[0]) for entry in entries)


def problem_of(url: str) -> str:
    """What is wrong with a URL, as a sentence; empty if nothing is."""
    try:
        parts = urlsplit(url)
        port, name = parts.port, name_in(parts)
    except ValueError:
        return _("“%(url)s” is not a valid URL. Write it as https://host/path.") % {"url": url}
    if (
        parts.scheme not in ("https", "http")
        or not name
        or parts.username
        or parts.password
        or port == 0
    ):
        return _(
            "“%(url)s” is not a valid URL. Write it as https://host/path, without a user name or"
            " password."
        ) % {"url": url}
    if parts.scheme == "http" and not settings.WEBHOOKS_MAY_STAY_INSIDE:
        return _("The URL must start with https://, or others can read the messages.")
    return ""


def name_in(parts: SplitResult) -> str:
    return (parts.hostname or "").encode("idna").decode()


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_outside(number: str) -> bool:
    """Whether the IP address is on the public internet: not on this machine, its network or its
    cloud's internal services.
    """
    address = ipaddress.ip_address(number)
    if any(address in network for network in INSIDE_A_CLOUD):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = (
            address.ipv4_mapped
            or address.sixtofour
            or (address.teredo[1] if address.teredo else None)
        )
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address in GLOBAL_IPV6 and address.is_global
        return is_outside(str(inner))
    return address.is_global and not address.is_multicast
