import pytest

from recommender.core.training.prefetch import prefetch


@pytest.mark.parametrize("always", [False, True])
def test_outputs_come_in_the_order_of_their_inputs(always):
    made = prefetch(lambda n: n * n, iter(range(5)), "cpu", always=always)
    assert list(made) == [0, 1, 4, 9, 16]
    assert list(prefetch(str, [], "cpu", always=always)) == []


def test_work_ahead_is_one_thing_prefetch():
    begun = []
    made = prefetch(begun.append, range(5), "cpu", always=True)
    next(made)
    made.close()
    assert begun in ([0, 1], [0])  # the second may be cancelled before it starts


def test_an_error_is_raised_where_its_output_is_used():
    made = prefetch(lambda n: 1 // n, [1, 0], "cpu", always=True)
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)
