"""The cast of people, the browser, the marks of tests, and a temporary home for every run."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import expect

from studysite import catalogues
from tests.flows.settling import PATIENCE
from tests.requirements import NO_DATA, need, public_data

# Playwright's sync API keeps an event loop running, in which the ORM refuses to work otherwise.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# recommender.core says why; a test may import torch before it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The same examples in every run on any machine; --hypothesis-profile=default searches for new ones.
hypothesis_settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("steady")
expect.set_options(timeout=PATIENCE)

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the catalogues of the languages once, before any worker starts."""
    if not hasattr(config, "workerinput"):
        catalogues.compile_catalogues()


LEFT_OUT = pytest.StashKey[int]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by what they use; without public data leave out the tests that read it."""
    for item in items:
        uses = {"browser": "browser", "real_data": "data"}
        for name in uses.keys() & set(item.fixturenames):
            item.add_marker(uses[name])
        if hasattr(item.module, "Installation"):
            item.add_marker("process")
    if os.environ.get("STUDYSITE_DATA") == NO_DATA:
        left_out = [item for item in items if item.get_closest_marker("data")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
        config.stash[LEFT_OUT] = len(left_out)
        if hasattr(config, "workeroutput"):
            config.workeroutput["left_out"] = len(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """Each worker of pytest-xdist has left out the same tests."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and (count := config.stash.get(LEFT_OUT, 0)):
        noun = "test" if count == 1 else "tests"
        print(f"{count} {noun} on public data deselected, because STUDYSITE_DATA=none")


@pytest.fixture
def home(settings, tmp_path: Path) -> Path:
    """A STUDYSITE_HOME for this test alone, for tests that look into it."""
    settings.STUDYSITE_HOME = tmp_path / "home"
    settings.STUDYSITE_HOME.mkdir()
    return settings.STUDYSITE_HOME


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the public data sets, named by STUDYSITE_DATA."""
    return public_data()


@pytest.fixture(autouse=True)
def no_profile_of_another_test():
    """Empty the cache, because a rolled-back database gives the same ids to other questions."""
    yield
    caches["profiles"].clear()


# -- the cast: Ada and Ben judge, Rita researches, Olga is a stranger --------------------------


@dataclass(frozen=True)
class Judge:
    """An appraiser and the secret token that only they know."""

    appraiser: object
    token: str

    @property
    def url(self) -> str:
        return f"/a/{self.token}/"


@pytest.fixture
def study(db):
    """A running study of two arms with 20 questions."""
    from tests.factories import StudyFactory

    return StudyFactory(slug="films")


@pytest.fixture
def ada(study) -> Judge:
    from survey.services.joining import join_study

    return Judge(*join_study(study=study))


@pytest.fixture
def ben(study, ada) -> Judge:
    from survey.services.joining import join_study

    return Judge(*join_study(study=study))


@pytest.fixture
def rita(db):
    """A researcher who may view and change studies, but is not an administrator."""
    return _researcher("rita", "view_study", "change_study")


@pytest.fixture
def vera(db):
    """A researcher who may only view studies."""
    return _researcher("vera", "view_study")


def _researcher(username: str, *rights: str):
    from tests.factories import UserFactory

    user = UserFactory(username=username)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="survey", codename__in=rights)
    )
    return user


@pytest.fixture
def olga(db):
    """A signed-in user without permissions."""
    from tests.factories import UserFactory

    return UserFactory(username="olga")


# -- the browser -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    need(CHROMIUM, "there is no Chromium on PATH (CHROMIUM= names one)")
    flags = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium's sandbox refuses to run as root
    own = {"executable_path": CHROMIUM, "args": flags, "timeout": 5 * PATIENCE}
    return {**browser_type_launch_args, **own}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "service_workers": "block",
    }


@pytest.fixture
def new_context(new_context):
    def patient(**options):
        context = new_context(**options)
        context.set_default_timeout(PATIENCE)
        return context

    return patient


@pytest.fixture
def faults(page):
    """Script and console errors of the page; the test fails if there are any.

    The console also reports missing files and violations of the content security policy.
    """
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("console", lambda message: seen.append(message.text) if message.type == "error" else 0)
    yield seen
    assert seen == []


@pytest.fixture
def sign_in(context, live_server):
    """Sign a user in without the login page."""

    def as_user(user) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        session = client.cookies[name].value
        context.add_cookies([{"name": name, "value": session, "url": live_server.url}])

    return as_user
