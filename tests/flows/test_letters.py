"""Words stay whole whatever the font, and large letters get the room of a small screen."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from recommender.models import Item
from survey.models import Question
from survey.services import joining
from survey.services.joining import join_study
from tests.conftest import CHROMIUM
from tests.factories import StudyFactory
from tests.flows.settling import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "Film-Noir", "History", "Horror", "Music", "Musical", "Mystery",
    "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
#: As wide as a font without serifs comes.
WIDE = "document.documentElement.style.setProperty('--font', 'DejaVu Sans, Verdana, sans-serif')"
#: Cells whose word is cut, broken, or lies outside; and how many cells there were.
BROKEN = """() => {
  document.querySelector("details").open = true;
  const cells = [...document.querySelectorAll(".taste-name")].filter(e => e.checkVisibility());
  const broken = cells.filter((cell) => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    const lines = new Set([...words.getClientRects()].map(({ top }) => Math.round(top))).size;
    return cell.scrollWidth > cell.clientWidth || lines > cell.textContent.split(" ").length;
  });
  return [cells.length, broken.map(cell => cell.textContent)];
}"""


@pytest.fixture
def start(live_server):
    """The first question about a profile whose best and worst genres are these six; its address."""

    def begin(language="en", genres=GENRES[:6], **values):
        study = StudyFactory(**values)
        movies = Item.objects.bulk_create(
            Item(
                dataset=study.dataset,
                external_id=f"letters-{n}",
                title=f"Movie {n}",
                year=1930 + n % 90,
                genres=[genres[n % len(genres)]],
            )
            for n in range(120)
        )
        profile = [[movie.pk, 5 - 0.5 * (n % len(genres))] for n, movie in enumerate(movies)]
        profile.sort(key=lambda rated: -rated[1])
        Question.objects.filter(study=study).update(profile=profile)
        who, token = join_study(study=study, language=language)
        joining.mark_instructed(appraiser=who)
        return f"{live_server.url}/a/{token}/"

    return begin


@pytest.mark.parametrize("width", [1280, 900, 360])
@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_no_genre_breaks_in_the_middle_in_a_wide_font(page, start, language, width):
    page.set_viewport_size({"width": width, "height": 720})
    found = {}
    for first in range(0, len(GENRES), 6):
        page.goto(start(language, GENRES[first : first + 6]))
        page.evaluate(WIDE)
        cells, broken = page.evaluate(BROKEN)
        assert cells > 12
        if broken:
            found[first] = broken
    assert found == {}


@pytest.fixture
def large_letters(playwright, browser_type_launch_args):
    """A browser whose reader has doubled the size of all letters; pages of any width."""
    flags = [*browser_type_launch_args["args"], "--blink-settings=defaultFontSize=32"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=PATIENCE)
    yield lambda width, height: browser.new_page(viewport={"width": width, "height": height})
    browser.close()


def test_large_letters_get_the_layout_of_a_small_screen(large_letters, start):
    """1280 px of letters twice as large are 640 px: the question lies under the profile."""
    page = large_letters(1280, 1000)
    page.set_default_timeout(PATIENCE)
    page.goto(start(third_answer="tie", ask_familiarity=True))
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    profile, question = (page.locator(part).bounding_box() for part in (".profile", ".question"))
    assert profile["width"] == question["width"] == 1280
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.evaluate(BROKEN)[1] == []
    assert Axe().run(page).violations_count == 0


@pytest.mark.parametrize("width", [1280, 2560])
def test_with_large_letters_the_profile_keeps_its_half(large_letters, start, width):
    page = large_letters(width, 720)
    page.set_default_timeout(PATIENCE)
    page.goto(start())
    assert page.locator(".profile").bounding_box()["width"] >= 0.48 * width
