"""The judging page with a profile of 2,000 movies, in Chromium on a processor slowed down 4 times.

The product is started as in production (gunicorn, SQLite, compressed static files) in a home of
its own that is thrown away. Printed and kept are medians over several loads without a cache:

- bytes sent, of the page and of everything with it;
- when the first content was painted, and when the page was interactive: its scripts have run and
  the last task longer than 50 ms is over, seen from the start of the navigation;
- responses: from a key or a choice to the next paint, as the browser's Event Timing gives them
  (steps of 8 ms); the slowest of a whole word typed, and of each filter and order.

    python benchmarks/judging_page.py                  # needs Chromium; about a minute

Needs the development environment (Django, Playwright) and Chromium; CHROMIUM= names one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.installation import Installation

AIMS_MS = {"interactive": 1500, "response": 100}
SEED = """
from survey.services.joining import join_study, mark_instructed
from tests.factories import StudyFactory
from tests.flows.large_profile import rate_many
study = StudyFactory(slug="large", quota=1000)
rate_many(study, {movies})
appraiser, token = join_study(study=study)
mark_instructed(appraiser=appraiser)
print(token)
"""
WATCH = """
window.longTasks = [];
new PerformanceObserver(list => longTasks.push(...list.getEntries().map(
  task => task.startTime + task.duration))).observe({ type: "longtask", buffered: true });
window.responses = [];
new PerformanceObserver(list => responses.push(...list.getEntries().map(
  event => [event.name, event.duration]))
).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
TIMES = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const ready = page.domContentLoadedEventEnd;
  return {
    painted: paint.startTime,
    interactive: Math.max(ready, ...longTasks.filter(end => end < ready + 10000)),
    server: page.responseStart - page.requestStart,
  };
}"""


def load(page: Page, session: CDPSession, url: str) -> dict[str, float]:
    """One load with an empty cache: bytes over the wire and the times of the page."""
    sizes: dict[str, float] = {}
    kinds: dict[str, str] = {}
    session.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]}),
    )
    page.goto(url)
    page.wait_for_timeout(3000)  # nothing may come later than this and stay unseen
    document = sum(size for key, size in sizes.items() if kinds.get(key) == "Document")
    return {"document": document, "all": sum(sizes.values()), **page.evaluate(TIMES)}


def slowest(page: Page, act: Callable[[], object]) -> float:
    """Milliseconds to the next paint of the slowest event while ``act()`` runs.

    What took less than 16 ms is not reported by the browser, and stands as 16.
    """
    page.evaluate("responses.length = 0")
    act()
    page.wait_for_timeout(700)
    return max([16.0, *(duration for _, duration in page.evaluate("responses"))])


def choose(page: Page, field: str, option: str, wanted: str) -> None:
    """A choice by keyboard, so that the browser times it: letters select the option."""
    page.locator(field).focus()
    page.keyboard.type(option)
    page.wait_for_timeout(1200)  # until then the next letter would go on with this word
    chosen = page.locator(field).input_value()
    if chosen != wanted:
        raise SystemExit(f"{field} holds {chosen!r} instead of {wanted!r}.")


def respond(page: Page) -> dict[str, float]:
    def option(field: str, letters: str, wanted: str) -> float:
        return slowest(page, lambda: choose(page, field, letters, wanted))

    page.locator("#tool-title").focus()
    found = {"search": slowest(page, lambda: page.keyboard.type("amelie", delay=250))}
    found["search, undone"] = slowest(
        page, lambda: [page.keyboard.press("Backspace", delay=250) for _ in range(6)]
    )
    found["filter by genre"] = option("#tool-genre", "D", "Drama")
    found["genre, undone"] = option("#tool-genre", "G", "")
    found["filter by decade"] = option("#tool-decade", "1", "1990")
    found["decade, undone"] = option("#tool-decade", "D", "")
    found["order by title"] = option("#tool-sort", "T", "title")
    found["order by year"] = option("#tool-sort", "N", "year")
    found["order by stars"] = option("#tool-sort", "M", "stars")
    return found


def measure(url: str, slowdown: float, loads: int) -> list[dict[str, dict[str, float]]]:
    rounds = []
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=flags)
        for _ in range(loads):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.add_init_script(WATCH)
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
            rounds.append({"load": load(page, session, url), "response": respond(page)})
            context.close()
        version = browser.version
        browser.close()
    rounds[0]["load"]["chromium"] = version
    return rounds


def medians(rounds: list[dict], part: str) -> dict[str, float]:
    return {
        name: round(statistics.median(one[part][name] for one in rounds), 1)
        for name in rounds[-1][part]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=2000)
    parser.add_argument("--slowdown", type=float, default=4)
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/<this script>.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Installation(Path(folder))
        try:
            place.manage("migrate", "--verbosity=0")
            place.manage("collectstatic", "--noinput", "--verbosity=0")
            token = place.ask(SEED.format(movies=options.movies))
            place.serve(workers=1)
            rounds = measure(f"{place.url}/a/{token}/", options.slowdown, options.loads)
        finally:
            place.stop()
    version = rounds[0]["load"].pop("chromium")
    loads, responses = medians(rounds, "load"), medians(rounds, "response")
    print(f"{options.movies} movies, processor slowed down {options.slowdown:g} times")
    for label, value, unit in (
        ("the page, compressed", loads["document"] / 1000, "kB"),
        ("with styles, scripts and pictures", loads["all"] / 1000, "kB"),
        ("answer of the server", loads["server"], "ms"),
        ("first content painted", loads["painted"], "ms"),
        (f"interactive (aim: {AIMS_MS['interactive']})", loads["interactive"], "ms"),
    ):
        print(f"{label:36}{value:9.1f} {unit}")
    print(f"Slowest response (aim: {AIMS_MS['response']})")
    for label, value in responses.items():
        print(f"  {label:34}{value:9.1f} ms")
    facts = {
        "movies": options.movies,
        "slowdown": options.slowdown,
        "loads": options.loads,
        "aims_ms": AIMS_MS,
        "load": loads,
        "response_ms": responses,
        "worst_round_interactive_ms": round(max(one["load"]["interactive"] for one in rounds), 1),
        "chromium": version,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
    target = options.out or Path(__file__).parent / "results" / f"{Path(__file__).stem}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
