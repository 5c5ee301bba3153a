"""From one network address not everything an hour; nothing of the address is kept."""

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from redis.exceptions import ConnectionError as RedisAway

from survey.models import Appraiser
from survey.views import throttle

pytestmark = pytest.mark.django_db
HOUR = 1_000_000 * 3600


@pytest.fixture(autouse=True)
def limits(settings, monkeypatch):
    """Two consents and one login an hour, at the start of one."""
    settings.CONSENTS_PER_HOUR, settings.LOGINS_PER_HOUR, settings.PROXY_COUNT = 2, 1, 0
    monkeypatch.setattr(throttle, "time", lambda: HOUR + 60.5)
    cache.clear()
    yield
    cache.clear()


def consent(client, address="192.0.2.7", **extra):
    return client.post("/s/films/consent/", REMOTE_ADDR=address, **extra)


def test_the_third_consent_of_an_address_is_put_off_kindly(client, study):
    assert [consent(client).status_code for _ in range(3)] == [302, 302, 429]
    late = consent(client)
    assert late["Retry-After"] == "3540"
    assert "please send it again in 59 minutes" in late.content.decode()
    assert Appraiser.objects.count() == 2


def test_looking_and_other_addresses_are_not_counted(client, study):
    for _ in range(5):
        client.get("/s/films/consent/", REMOTE_ADDR="192.0.2.7")
    assert [consent(client, f"192.0.2.{n}").status_code for n in range(1, 5)] == [302] * 4


def test_the_next_hour_starts_at_zero(client, study, monkeypatch):
    for _ in range(3):
        consent(client)
    monkeypatch.setattr(throttle, "time", lambda: HOUR + 3600)
    assert consent(client).status_code == 302


def test_logging_in_is_counted_apart(client, study):
    consent(client)
    sent = [client.post("/login/", {"username": "rita"}).status_code for _ in range(2)]
    assert sent == [200, 429]


def test_no_limit_is_no_limit(client, study, settings):
    settings.CONSENTS_PER_HOUR = 0
    assert [consent(client).status_code for _ in range(5)] == [302] * 5


def test_the_nearest_proxy_is_believed_and_nobody_further_away(settings):
    settings.PROXY_COUNT = 1
    said = {"HTTP_X_FORWARDED_FOR": "10.0.0.1, 192.0.2.7", "REMOTE_ADDR": "127.0.0.1"}
    assert throttle.network(RequestFactory().get("/", **said)) == "192.0.2.7"
    settings.PROXY_COUNT = 0
    assert throttle.network(RequestFactory().get("/", **said)) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_ipv6_is_counted_by_network_and_the_unknown_not_at_all(address, network):
    assert throttle.network(RequestFactory().get("/", REMOTE_ADDR=address)) == network


def test_no_address_is_in_the_cache(client, study, monkeypatch):
    keys = []
    monkeypatch.setattr(throttle.cache, "add", lambda key, *_: keys.append(key))
    monkeypatch.setattr(throttle.cache, "incr", lambda _: 1)
    consent(client)
    assert len(keys) == 1
    assert "192.0.2.7" not in keys[0]


def test_without_redis_nobody_is_kept_out(client, study, monkeypatch):
    def away(*_):
        raise RedisAway("gone")

    monkeypatch.setattr(throttle.cache, "add", away)
    assert consent(client).status_code == 302
