"""Who holds which device of a machine."""

import pytest

from recommender.machine import hold_device


class Waiting(Exception):
    pass


class Lease:
    """Raises instead of waiting."""

    def begin_work(self):
        pass

    def phase(self, name):
        raise Waiting(name)


@pytest.fixture
def hold(home):
    return lambda lane, *devices: hold_device(devices, lane, Lease())


def test_runs_of_one_lane_hold_the_processor_one_after_the_other(hold):
    with hold("default", "cpu"), pytest.raises(Waiting), hold("default", "cpu"):
        pass
    with hold("default", "cpu") as device:
        assert device == "cpu"


def test_runs_of_two_lanes_share_the_processor(hold):
    with hold("gpu", "cpu"), hold("default", "cpu") as device:
        assert device == "cpu"


def test_a_run_that_may_use_either_takes_the_processor_while_the_card_is_held(hold, monkeypatch):
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: None)
    with hold("gpu", "cuda"):
        with hold("inference", "cuda", "cpu") as device:
            assert device == "cpu"
        with pytest.raises(Waiting), hold("inference", "cuda"):
            pass
    with hold("inference", "cuda", "cpu") as device:
        assert device == "cuda"
