"""How often something may be tried: counted in this process, forgotten when it restarts.

Who fails here is told when to come back; the counts never touch the database, so a flood of
tries costs no writer anything.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import time

from flask import Flask, current_app, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

#: Bits of an IPv6 address that belong to the network: one household gets 2**64 addresses.
IPV6_PREFIX = 64


def register(app: Flask) -> None:
    """Give ``app`` counters of its own; ``RATELIMIT_ENABLED = False`` switches them off."""
    app.config.setdefault("RATELIMIT_ENABLED", True)
    app.extensions["rates"] = MovingWindowRateLimiter(MemoryStorage())


def count(what: str, who: str, allowed: str) -> None:
    """Count one try at ``what`` by ``who``.

    :param allowed: such as ``5 per 15 minutes``.
    :raises TooManyRequests: with the seconds to wait, when more than that was tried.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    rates: MovingWindowRateLimiter = current_app.extensions["rates"]
    rule = parse(allowed)
    if not rates.hit(rule, what, who):
        reset = rates.get_window_stats(rule, what, who).reset_time
        raise TooManyRequests(retry_after=max(1, ceil(reset - time())))


def network() -> str:
    """Return the network that the current request comes from."""
    given = request.remote_addr or ""
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return given
