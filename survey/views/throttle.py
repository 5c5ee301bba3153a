"""How often one network address may do something in an hour, so that no script takes every place.

Counted in the cache under a keyed digest that is another one each hour: no address is stored,
and an hour later nothing is left. Without Redis each process of the server counts for itself.
"""

import ipaddress
from collections.abc import Callable
from functools import wraps
from time import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

View = Callable[..., HttpResponseBase]
WINDOW = 3600


def throttled(setting: str) -> Callable[[View], View]:
    """Refuse POSTs to a view beyond ``setting`` of them an hour from one address; 0 is no limit."""

    def of(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            limit = getattr(settings, setting)
            if request.method == "POST" and limit and count(request, setting) > limit:
                return refuse(request)
            return view(request, *args, **kwargs)

        return counted

    return of


def count(request: HttpRequest, what: str) -> int:
    """How many there were from this address in this hour, this one too; 0 if it is not known."""
    address = network(request)
    if not address:
        return 0
    which = f"{what}/{int(time() // WINDOW)}/{address}"
    key = salted_hmac("survey.throttle", which, algorithm="sha256").hexdigest()
    try:
        cache.add(key, 0, WINDOW)
        return cache.incr(key)
    except (RedisError, ValueError):
        # Redis is away, or the count ran out this moment: nobody is kept out for that.
        return 0


def network(request: HttpRequest) -> str:
    """The address that asks, as the nearest proxy of ours says; of IPv6 the network of 64 bits.

    What stands further left in the header may be made up by whoever asks.
    """
    said = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies = settings.PROXY_COUNT
    given = said[-proxies] if 0 < proxies <= len(said) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(given.strip())
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def refuse(request: HttpRequest) -> HttpResponseBase:
    wait = WINDOW - int(time()) % WINDOW
    page = render(request, "429.html", {"minutes": -(-wait // 60)}, status=429)
    page["Retry-After"] = str(wait)
    return page
