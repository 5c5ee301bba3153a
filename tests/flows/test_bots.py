"""Many people judge at the same moment, over HTTP, and nothing is lost, doubled or tilted."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flows.bots import Bot
from tests.installation import Installation, own_database

BOTS, QUESTIONS = 20, 15
FOUND = """
import json
from collections import Counter
from survey.models import Assignment, Judgment, Study
first = Study.objects.get(slug="bots").arms.first()
sides = Counter(
    Assignment.objects.filter(left_arm=first).values_list("appraiser__number", flat=True)
)
answered = Counter(Judgment.objects.values_list("assignment__appraiser__number", flat=True))
print(json.dumps([Judgment.objects.count(), sides, answered]))
"""


@pytest.fixture
def site(tmp_path):
    """Two web processes and a running study, on the database of this leg of the tests."""
    with own_database(tmp_path) as database:
        site = Installation(tmp_path, DATABASE_URL=database)
        try:
            site.manage("migrate", "--verbosity", "0")
            site.manage("collectstatic", "--noinput", "--verbosity", "0")
            site.ask("from tests.factories import StudyFactory; StudyFactory(slug='bots')")
            site.serve(workers=3)
            yield site
        finally:
            site.stop()


@pytest.mark.services
def test_twenty_bots_that_send_everything_twice_leave_300_judgments(site):
    bots = [Bot("127.0.0.1", site.port) for _ in range(BOTS)]

    def whole_visit(number: int) -> str:
        private = bots[number].take_part("bots")
        return bots[number].judge(private, QUESTIONS, prefer=number)

    with ThreadPoolExecutor(BOTS) as people:
        last_pages = list(people.map(whole_visit, range(BOTS)))
    judgments, left, answered = json.loads(site.ask(FOUND))
    statuses = {status for bot in bots for status in bot.statuses}
    assert statuses <= {200, 302}
    assert all("completion code" in page for page in last_pages)
    assert judgments == BOTS * QUESTIONS
    assert sorted(answered.values()) == [QUESTIONS] * BOTS
    # 15 questions: the first arm stands on the left of 7 or 8 of them, for every appraiser.
    assert len(left) == BOTS
    assert set(left.values()) <= {QUESTIONS // 2, QUESTIONS // 2 + 1}
