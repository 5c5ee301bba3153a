"""Waiting for a page to lie still, by its own clock: only then do keys count."""

from playwright.sync_api import Page

#: How long a page may take on a busy machine, in milliseconds; this costs nothing elsewhere.
PATIENCE = 90_000
#: Longer than static/js/answer.js takes no keys, in milliseconds.
SETTLED = 450


def settle(page: Page) -> None:
    """The page is shown whole, all of its scripts have run, and so much time has passed since.

    A heading is seen before that, and a busy machine may take long between the two.
    """
    page.evaluate(
        """milliseconds => new Promise((done) => {
          const drawn = () => requestAnimationFrame(() => requestAnimationFrame(done));
          const wait = () => setTimeout(drawn, milliseconds);
          if (document.readyState === "complete") wait();
          else addEventListener("pageshow", wait, { once: true });
        })""",
        SETTLED,
    )
