"""How often a machine may ask: counted in this process, per network, forgotten at a restart.

The counts never touch the database and verify nothing, so that a flood costs next to nothing.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import time

from flask import Flask, current_app, request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from federation.errors import RateLimitedError

#: Requests a minute from one network: a backfill of 100,000 members is 500 pages.
READS = RateLimitItemPerMinute(300)

#: Signed messages a minute from one network; a neighbour sends a handful a day.
MESSAGES = RateLimitItemPerMinute(60)

#: Peering statements a minute from one network: each one of a stranger may cost a fetch.
STATEMENTS = RateLimitItemPerMinute(20)

#: Searches a minute from one network: as fast as somebody types, and not faster.
SEARCHES = RateLimitItemPerMinute(60)

#: Bits of an IPv6 address that belong to the network: one household gets 2**64 addresses.
IPV6_PREFIX = 64


def register(app: Flask) -> None:
    """Give ``app`` counters of its own; ``RATELIMIT_ENABLED = False`` switches them off."""
    app.config.setdefault("RATELIMIT_ENABLED", True)
    app.extensions["wire_rates"] = FixedWindowRateLimiter(MemoryStorage())


def count(rule: RateLimitItem, what: str) -> None:
    """Count the current request.

    :raises RateLimitedError: with the seconds to wait, when its network asks too often.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    rates: FixedWindowRateLimiter = current_app.extensions["wire_rates"]
    who = _network()
    if not rates.hit(rule, what, who):
        reset = rates.get_window_stats(rule, what, who).reset_time
        raise RateLimitedError("too many requests", max(1, ceil(reset - time())))


def left(rule: RateLimitItem, what: str) -> tuple[int, int]:
    """Return how many requests this network may still make, and the seconds to a new count."""
    rates: FixedWindowRateLimiter = current_app.extensions["wire_rates"]
    reset, remaining = rates.get_window_stats(rule, what, _network())
    return remaining, max(0, ceil(reset - time()))


def _network() -> str:
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)
