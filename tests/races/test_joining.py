"""Many come in at once, on a file of SQLite and on PostgreSQL: one link, one person."""

import pytest

from tests.races.joining import LINKS, MAKERS

pytestmark = pytest.mark.services


@pytest.fixture
def found(races):
    return races["joining"]


@pytest.mark.parametrize("way", ["link", "person"])
def test_consent_on_many_devices_at_once_makes_one_appraiser_for_all(found, way):
    assert (found[way]["links"], found[way]["people"]) == (1, 1)
    assert len(found[way]["first"]) == 43


def test_a_link_is_used_or_revoked_and_never_both(found):
    ends, (told, revoked), (joined, used) = (
        found["revoke"][k] for k in ("ends", "revoked", "used")
    )
    assert told == revoked == ends.get("NotInvited", 0)
    assert joined == used == ends.get("joined", 0)
    assert used + revoked == LINKS


def test_batches_made_at_once_are_numbered_without_gaps_and_a_double_click_makes_one(found):
    assert found["make"]["numbers"] == list(range(1, 5 * (MAKERS - 1) + 1))
    assert found["make"]["same"]
