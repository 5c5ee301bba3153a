from recommender.core.runs import Progress


def test_the_share_is_unknown_without_a_total():
    assert Progress("training", 3).share is None


def test_the_share_is_never_above_one():
    assert Progress("training", 30, 20).share == 1.0
