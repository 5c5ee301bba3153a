from recommender.core.runs import Progress, time_left


def test_the_share_is_unknown_without_a_total():
    assert Progress("training", 3).share is None


def test_the_share_is_never_above_one():
    assert Progress("training", 30, 20).share == 1.0


def test_the_time_left_follows_from_the_speed_so_far(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 110.0)
    assert time_left(100.0, 5, 20) == 30.0


def test_no_time_left_is_known_at_first():
    assert time_left(100.0, 0, 20) is None
