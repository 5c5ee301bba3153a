"""The four languages from the first page to the code, and pages from right to left, in Chromium."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from recommender.models import Item
from survey.models import Appraiser, Question
from survey.protocol.fields import Protocol
from survey.services.joining import join_study, mark_instructed
from survey.wording.of_study import StudyTexts, write_texts
from tests import pseudo
from tests.factories import StudyFactory
from tests.flows.settling import PATIENCE
from tests.survey.every_page import every_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}
#: locale of the browser -> language of the pages, and their headings on the way to the code
HEADINGS = {
    "en-GB": ("en-gb", "Which movie fits better?", "Do you want to take part?", "How it works",
              "Question 1 of 2", "Before you finish", "Thank you. That was all."),
    "de-AT": ("de", "Welcher Film passt besser?", "Möchten Sie teilnehmen?", "So funktioniert es",
              "Frage 1 von 2", "Bevor Sie fertig sind", "Danke. Das war alles."),
    "es-MX": ("es", "¿Qué película encaja mejor?", "¿Quiere participar?", "Cómo funciona",
              "Pregunta 1 de 2", "Antes de terminar", "Gracias. Eso era todo."),
    "zh-CN": ("zh-hans", "哪部电影更合适？", "您愿意参加吗？", "如何进行",
              "第 1 题，共 2 题", "结束之前", "谢谢您。全部完成了。"),
}  # fmt: skip


@pytest.fixture
def study(transactional_db):
    """Two questions and SUS, in the built-in words of every language."""
    asked = Protocol(after=[{"builtin": "sus"}], changes="never")
    words = write_texts(StudyTexts(), questions=2, protocol=asked)
    return StudyFactory(
        slug="films",
        questions_per_appraiser=2,
        title=words.title,
        consent_text=words.consent_text,
        instructions=words.instructions,
        translations=words.translations,
        after=asked.after,
    )


@pytest.fixture
def visit(browser, live_server):
    """A new browser that prefers a language."""
    opened = []

    def come(locale, path="/s/films/", **options):
        context = browser.new_context(locale=locale, viewport=PHONE, **options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield come
    for context in opened:
        context.close()


@pytest.fixture
def strange(settings, tmp_path):
    settings.LOCALE_PATHS = [pseudo.write(tmp_path)]
    settings.LANGUAGES = [*settings.LANGUAGES, (pseudo.CODE, "Strange")]


def language(page):
    return page.evaluate("document.documentElement.lang")


def is_wide(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def on(page):
    page.locator("form .button-primary[type=submit]").first.click()


def into_the_study(page):
    """From the first page to the instructions."""
    on(page)
    page.wait_for_url("**/consent/**")
    on(page)
    page.wait_for_url("**/a/**")


def look(page, heading, code):
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert (language(page), is_wide(page)) == (code, False)
    assert Axe().run(page).violations_count == 0


@pytest.mark.parametrize("locale", HEADINGS)
def test_every_language_leads_from_the_first_page_to_the_code(visit, study, locale):
    code, *headings = HEADINGS[locale]
    page = visit(locale)
    for heading in headings[:4]:
        look(page, heading, code)
        on(page)
    page.locator("button[value=right]").click()
    look(page, headings[4], code)
    for item in range(1, 11):
        page.locator(f"[name=item-sus-{item}]").nth(2).check()
    on(page)
    look(page, headings[5], code)
    expect(page.locator(".copy-field-large input")).to_have_value(re.compile(r"\w{5}-\w{5}"))


def test_the_consent_is_one_text_in_one_language(visit, study):
    page = visit("de", "/s/films/consent/")
    text = page.locator(".prose").inner_text()
    assert "Es gibt 2 solche Fragen." in text
    assert text == study.translations["de"]["consent_text"]


def test_a_language_that_was_chosen_lasts_in_every_browser(visit, study, live_server):
    page = visit("de-DE")
    page.get_by_role("link", name="Español").click()
    expect(page.locator("[aria-current]")).to_have_text("Español")
    into_the_study(page)
    assert language(page) == "es"
    elsewhere = visit("en-GB", page.url.removeprefix(live_server.url))
    assert language(elsewhere) == "es"
    assert Appraiser.objects.get().language == "es"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_language_can_be_changed_on_the_private_pages(visit, study, scripts):
    page = visit("de-DE", java_script_enabled=scripts)
    into_the_study(page)
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="如何进行")).to_be_visible()
    on(page)
    page.locator(".judge-break a").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Frage 1 von 2")


def test_each_language_is_named_in_itself(visit, study):
    page = visit("en-GB")
    names = page.locator(".language-names :is(a, span)")
    assert names.all_text_contents() == ["English", "Deutsch", "Español", "简体中文"]
    told = names.evaluate_all("all => all.map(one => [one.lang, one.hreflang ?? ''])")
    assert told == [["en", ""], ["de", "de"], ["es", "es"], ["zh-hans", "zh-hans"]]


def test_a_study_with_a_fixed_language_offers_no_other(visit, study):
    type(study).objects.update(language="es")
    page = visit("de-DE", "/s/films/?lang=de")
    assert language(page) == "es"
    assert page.locator(".languages").count() == 0
    into_the_study(page)
    assert (language(page), page.locator(".languages").count()) == ("es", 0)


def movies_of(study, titles):
    Item.objects.bulk_create(
        Item(dataset=study.dataset, external_id=f"m{n}", title=title, year=1990, genres=["War"])
        for n, title in enumerate(titles)
    )
    found = Item.objects.filter(external_id__startswith="m").order_by("pk")
    profile = [[movie.pk, 3.5] for movie in found]
    Question.objects.filter(study=study).update(profile=profile)


def reader(study):
    appraiser, token = join_study(study=study)
    mark_instructed(appraiser=appraiser)
    return f"/a/{token}/"


def test_numbers_stars_and_order_are_those_of_the_language(visit, study):
    movies_of(study, ["Zoo", "Ärger", "Apfel", *(f"Film {n}" for n in range(1197))])
    page = visit("de-DE", reader(study))
    expect(page.locator(".profile-summary")).to_contain_text("1.200 Filme aus dem Jahr 1990")
    expect(page.locator(".profile-summary")).to_contain_text("3,5 Sterne")
    page.get_by_label("Reihenfolge").select_option("Titel")
    expect(page.locator(".movie-title").first).to_have_text("Apfel")
    expect(page.locator(".movie-title").nth(1)).to_have_text("Ärger")
    page.get_by_label("In den Titeln suchen").fill("arger")
    expect(page.get_by_role("status")).to_have_text("1 von 1.200 (Filme)")


def test_machine_readable_values_are_the_same_in_every_language(visit, study):
    url = reader(study)
    pages = {locale: visit(locale, url) for locale in ("en-GB", "de-DE")}
    told = {
        "values": "all => all.map(one => one.getAttribute('value'))",
        "bars": "all => all.map(one => one.getAttribute('height'))",
    }
    found = [
        [
            page.locator("progress, input[type=hidden]:not([name=csrfmiddlewaretoken])")
            .evaluate_all(told["values"]),
            page.locator(".spread rect").evaluate_all(told["bars"]),
            page.locator(".stars").evaluate_all("all => all.map(one => one.dataset.half)"),
        ]
        for page in pages.values()
    ]  # fmt: skip
    assert found[0] == found[1]


# -- every page, in long words and from right to left --------------------------------------------


def sights(code):
    """One page of each heading, and all that differ in what is asked."""
    found = {}
    for name, page in every_page(code).items():
        heading = re.sub(r"\s+", " ", " ".join(re.findall(r"<h1.*?</h1>", page, re.S)))
        asked = len(re.findall(r"<(?:fieldset|button|input)\b", page))
        found.setdefault((heading, asked), (name, page))
    return dict(found.values())


def too_wide(page, live_server, sights, widths):
    found, sent, address = [], {}, f"{live_server.url}/sight"
    page.route(address, lambda route: route.fulfill(**sent))
    for name, html in sights.items():
        sent.update(body=html, content_type="text/html; charset=utf-8")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 740})
            page.goto(address)
            if is_wide(page):
                found.append((name, width))
    return found


def test_no_page_is_wider_than_the_screen_from_right_to_left(page, live_server, strange):
    pages = sights(pseudo.CODE)
    assert len(pages) > 50
    assert too_wide(page, live_server, pages, (320, 1280)) == []


@pytest.mark.parametrize("code", ["de", "es", "zh-hans"])
def test_no_page_is_wider_than_the_smallest_screen_in_any_language(page, live_server, db, code):
    assert too_wide(page, live_server, sights(code), (320,)) == []


@pytest.fixture
def mirrored(visit, strange, study):
    """The first question in the made-up language, on a large screen."""
    movies_of(study, ["Airplane!", *(f"Film {n}" for n in range(20))])
    page = visit(pseudo.CODE, reader(study))
    page.set_viewport_size({"width": 1280, "height": 800})
    return page


def test_the_first_card_is_on_the_right_and_the_arrow_keys_follow(mirrored):
    first, second = mirrored.locator(".card").all()
    assert first.bounding_box()["x"] > second.bounding_box()["x"]
    mirrored.keyboard.press("ArrowLeft")
    expect(second.locator("button")).to_be_focused()
    mirrored.keyboard.press("ArrowRight")
    expect(first.locator("button")).to_be_focused()


def test_a_latin_title_keeps_its_direction_and_is_aligned_with_the_page(mirrored):
    title = mirrored.locator(".movie-title").first
    ends = title.evaluate(
        """link => [0, link.firstChild.length - 1].map((at) => {
             const range = document.createRange();
             range.setStart(link.firstChild, at);
             range.setEnd(link.firstChild, at + 1);
             return range.getBoundingClientRect().x;
           })"""
    )
    assert ends[0] < ends[1]
    section = mirrored.locator(".star-group").first.bounding_box()
    assert ends[1] > section["x"] + section["width"] - 40


def test_other_names_of_a_movie_keep_their_parentheses(mirrored):
    Item.objects.filter(title="Film 11").update(title="Film 11 (Le film onze)")
    mirrored.reload()
    aside = mirrored.locator(".card .aside").first
    assert aside.evaluate("one => getComputedStyle(one).unicodeBidi") == "plaintext"


def test_stars_fill_from_the_right(mirrored):
    stars = mirrored.locator(".stars").first
    assert "270deg" in stars.evaluate("one => getComputedStyle(one).backgroundImage")
