"""Downloads of a study's data, for researchers only."""

import csv
from io import BytesIO, StringIO

import openpyxl
import pytest

from survey.protocol.panels import PROLIFIC_PARAMETERS, prolific_panel
from survey.selectors.questionnaires import items_of
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import pilot_study
from survey.services.responding import respond
from survey.services.status import end_pilot
from tests.factories import StudyFactory
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen(db):
    study = prepared()
    publish(study)
    return pilot_study(study=study)


def test_the_page_shows_the_hash_and_offers_the_design(client, rita, frozen):
    client.force_login(rita)
    assert frozen.design_hash in client.get("/research/films/").content.decode()
    sent = client.get("/research/films/design.json")
    assert sent.json()["design_hash"] == frozen.design_hash
    assert sent["Content-Disposition"] == 'attachment; filename="films-design.json"'


def test_the_design_is_for_researchers_and_there_is_none_of_a_draft(client, rita, olga, frozen):
    client.force_login(olga)
    assert client.get("/research/films/design.json").status_code == 404
    client.force_login(rita)
    end_pilot(study=frozen)
    assert client.get("/research/films/design.json").status_code == 404


# -- every table, in every form ------------------------------------------------------------------

NUMBER = {"name": "age", "text": "How old?", "kind": "number"}
FREE = {"name": "why", "text": "Why?", "kind": "text"}
TEXT = "I liked it; -- great, Zoë"


@pytest.fixture
def talkative(db):
    """A study whose answers a spreadsheet would misread."""
    panel = prolific_panel(done="A", screened="B", failed="C")
    study = StudyFactory(
        slug="films", entry="panel", panel=panel, ask_comment=True, before=[NUMBER, FREE]
    )
    sent = {name: ["=1+1"] for name in PROLIFIC_PARAMETERS}
    who, _ = join_study(study=study, panel=sent)
    mark_instructed(appraiser=who)
    items = items_of(study, "before")
    respond(appraiser=who, part="before", items=items, sent={"age": "-4", "why": TEXT})
    key = who.assignments.get(position=1).key
    record_judgment(appraiser=who, assignment_key=key, choice="left", comment=f"=1+1\n{TEXT}")


TABLES = {
    "judgments.csv": {f"=1+1\n{TEXT}"},
    "history.csv": {f"=1+1\n{TEXT}"},
    "responses.csv": {"-4", TEXT},
    "recruit/panel.csv": {"=1+1"},
}


@pytest.fixture(params=TABLES)
def table(request, client, rita, talkative):
    """Downloads a table; and the texts that must stand in it."""
    client.force_login(rita)

    def download(query):
        page = client.get(f"/research/films/{request.param}?{query}")
        return b"".join(page.streaming_content), page["Content-Disposition"]

    return download, TABLES[request.param]


def cells(content, encoding="utf-8"):
    rows = csv.reader(StringIO(content.decode(encoding), newline=""))
    return {cell for row in rows for cell in row}


def test_a_raw_table_holds_every_text_as_stored(table):
    download, texts = table
    assert texts <= cells(download("raw=1")[0])


def test_a_guarded_table_marks_only_a_cell_that_begins_like_a_formula(table):
    download, texts = table
    guarded = {text if text == TEXT else f"'{text}" for text in texts}
    assert guarded <= cells(download("")[0])


def test_a_table_may_begin_with_a_byte_order_mark(table):
    download, _ = table
    marked = download("bom=1&raw=1")[0]
    assert marked == b"\xef\xbb\xbf" + download("raw=1")[0]


def test_a_workbook_holds_every_text_as_stored(table):
    download, texts = table
    content, disposition = download("format=xlsx")
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    assert texts <= {cell for row in sheet.iter_rows(values_only=True) for cell in row}
    assert disposition.endswith('.xlsx"')
