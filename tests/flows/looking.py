"""How a page is looked over: by axe, and on the smallest screen."""

from axe_playwright_python.sync_playwright import Axe

SMALLEST = {"width": 320, "height": 568}


def look(page, live_server, pages, scheme):
    """What axe finds on each page, and which pages are wider than the smallest screen."""
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name, path in pages.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(live_server.url + path)
        report = Axe().run(page)
        if report.violations_count:
            found[name] = report.generate_report()
        page.set_viewport_size(SMALLEST)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[f"{name} at 320 px"] = "wider than the screen"
    return found
