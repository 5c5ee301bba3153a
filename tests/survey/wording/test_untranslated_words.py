"""No page of an appraiser holds a word that nobody can translate."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from studysite.catalogues import strings
from survey.protocol.builtin import EARLIER_WORDINGS
from tests import pseudo
from tests.survey.every_page import every_page

pytestmark = pytest.mark.django_db

#: The same in every language.
NAMES = re.compile(r"\bIMDb\b")
READ_ATTRIBUTES = {"aria-label", "placeholder", "title", "alt"}
#: What the scripts say comes from here; the rest of data- is for machines.
SAID_BY_SCRIPTS = {
    "data-copied", "data-room", "data-some", "data-group", "data-all", "data-nothing",
    "data-year-unknown", "data-other-titles",
}  # fmt: skip
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")


class Words(HTMLParser):
    """Everything on a page that is read by people; what says its own language is left out."""

    VOID = {"meta", "link", "input", "br", "img", "rect", "path", "hr"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[bool] = []
        self.run: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        own = tag in {"script", "style"} or ("lang" in said and tag != "html")
        if not (own or any(self.inside)):
            names = READ_ATTRIBUTES | SAID_BY_SCRIPTS
            if tag == "input" and said.get("type") in {"submit", "button", "reset"}:
                names |= {"value"}
            self.found += [said[name] or "" for name in names & said.keys()]
        if tag not in self.VOID:
            self.inside.append(own)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            self.inside.pop()

    def handle_data(self, data):
        if not any(self.inside):
            self.run.append(data)

    @property
    def unmarked(self) -> list[str]:
        """What stands outside every translation; one of these may hold tags, another one none."""
        texts = ["".join(self.run), *self.found]
        return [part for text in texts for part in outside(text)]


def outside(text: str) -> list[str]:
    while MARKED.search(text):
        text = MARKED.sub("\n", text)
    text = NAMES.sub("", text)
    parts = (" ".join(part.split()) for part in text.split("\n"))
    return [part for part in parts if re.search(r"[^\W\d_]", part)]


@pytest.fixture
def strange(settings, tmp_path):
    settings.LOCALE_PATHS = [pseudo.write(tmp_path)]
    settings.LANGUAGES = [*settings.LANGUAGES, (pseudo.CODE, "Strange")]
    settings.SITE_URL = "http://testserver"


@pytest.mark.long
def test_no_appraisers_page_has_an_unmarked_text(strange):
    pages = every_page(pseudo.CODE)
    assert {name: found for name, page in pages.items() if (found := Words(page).unmarked)} == {}
    assert len(pages) > 100


def test_every_page_says_its_language_and_its_direction(strange):
    pages = every_page(pseudo.CODE)
    assert [name for name, page in pages.items() if '<html lang="ar" dir="rtl">' not in page] == []


@pytest.mark.long
def test_the_pages_that_are_looked_at_hold_every_string_there_is(strange):
    """But the study's own words and the genres, which are data: a page that was added is walked."""
    found = squeezed(unescape("".join(every_page(pseudo.CODE).values())))
    texts = [
        message.id if isinstance(message.id, str) else message.id[1]
        for message in strings()
        if message.id and message.context != "genre" and message.id not in EARLIER_WORDINGS
        if not any(name == "survey/wording/built_in.py" for name, _ in message.locations)
    ]
    assert [text for text in texts if not re.search(pattern(text), found)] == []
    assert len(texts) > 200


def pattern(text):
    parts = pseudo.PLACEHOLDER.split(squeezed(pseudo.disguised(text)))
    any_text = (
        re.escape(part) if nth % 2 == 0 or "<" in part else ".{0,200}?"
        for nth, part in enumerate(parts)
    )
    return "".join(any_text)


def squeezed(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("page", ["<p>Hello</p>", '<p>⟦a⟧<img alt="b">', "<p>⟦one ⟦of⟧⟧ two</p>"])
def test_an_unmarked_text_is_found(page):
    assert len(Words(page).unmarked) == 1


def test_names_data_and_language_names_are_not_unmarked_texts():
    page = '<p>⟦Séé ⟦1⟧ ónly⟧ 17 IMDb</p><span lang="de">Deutsch</span><script>let a</script>'
    assert Words(page).unmarked == []
