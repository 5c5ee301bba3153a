"""Limits POSTs per network address and hour, so that no script takes every place.

The count is cached under a keyed digest that changes every hour: no address is stored, and an
hour later nothing is left. Without Redis each server process counts for itself.
"""

import ipaddress
from functools import wraps
from time import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from survey.views.private_pages import View, private_page

WINDOW = 3600


def throttled(view: View, setting: str) -> View:
    """Refuse more POSTs an hour from one address than ``setting`` says; 0 means no limit."""

    @private_page
    @wraps(view)
    def counted(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        limit = getattr(settings, setting)
        if request.method == "POST" and limit and count_requests(request, setting) > limit:
            return too_many_requests(request)
        return view(request, *args, **kwargs)

    return counted


def count_requests(request: HttpRequest, what: str) -> int:
    """Requests from this address in this hour, this one included; 0 for an unknown address."""
    address = network(request)
    if not address:
        return 0
    which = f"{what}/{int(time() // WINDOW)}/{address}"
    key = salted_hmac("survey.throttle", which, algorithm="sha256").hexdigest()
    try:
        cache.add(key, 0, WINDOW)
        return cache.incr(key)
    except (RedisError, ValueError):
        # Redis is away, or the count expired just now: that locks nobody out.
        return 0


def network(request: HttpRequest) -> str:
    """The client's address as the nearest trusted proxy reports it; the /64 network for IPv6.

    The client can forge everything further left in the header.
    """
    reported = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies = settings.PROXY_COUNT
    given = (
        reported[-proxies] if 0 < proxies <= len(reported) else request.META.get("REMOTE_ADDR", "")
    )
    try:
        address = ipaddress.ip_address(given.strip())
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def too_many_requests(request: HttpRequest) -> HttpResponseBase:
    wait = WINDOW - int(time()) % WINDOW
    page = render(request, "429.html", {"minutes": -(-wait // 60)}, status=429)
    page["Retry-After"] = str(wait)
    return page
