"""Who asks for less motion gets none; and others a little."""

import pytest

from survey.services.joining import mark_instructed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: The name of what moves, on any element of the page; `ignore-clicks` moves nothing, it only waits.
MOVING = """() => [...new Set([...document.querySelectorAll("*")].flatMap((element) => {
  const style = getComputedStyle(element);
  const found = [];
  if (style.transitionDuration.split(", ").some(time => parseFloat(time))) found.push("transition");
  if (!["none", "ignore-clicks"].includes(style.animationName)) found.push(style.animationName);
  if (style.scrollBehavior !== "auto") found.push("scrolling");
  return found;
}))]"""


@pytest.mark.parametrize(("wish", "moving"), [("reduce", []), ("no-preference", ["transition"])])
def test_nothing_moves_with_reduced_motion(page, live_server, ada, wish, moving):
    mark_instructed(appraiser=ada.appraiser)
    page.emulate_media(reduced_motion=wish)
    for path in ("/s/films/", ada.url):
        page.goto(live_server.url + path)
        assert page.evaluate(MOVING) == moving
