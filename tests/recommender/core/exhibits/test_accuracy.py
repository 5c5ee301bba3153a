"""Table II, Figure 5 and what they say of the paper."""

from dataclasses import replace

from recommender.core.exhibits.accuracy import compare_all, compare_two, state_findings
from recommender.core.exhibits.paper import Result

LACKING = ("Not trained.", "manage.py train_models")
NETWORK = Result(
    "autoencoder", "Autoencoder", "paper", train_rmse=0.8, rmse=0.9, mae=0.7,
    loss_curve=[(n, 2 - n / 100) for n in range(1, 21)],
)  # fmt: skip
KNN = Result("user-knn", "User-user KNN", "paper", rmse=1.0, mae=0.8)
BIAS = Result("bias", "Damped bias", "default", rmse=0.85, mae=0.6, p=0.004, p_holm=0.02)
RANKER = Result("popularity", "Popularity", "default")


def findings(*results, autoencoder=NETWORK, knn=KNN):
    return " ".join(state_findings(results, autoencoder, knn, ""))


def test_table_two_gives_the_error_in_three_definitions():
    rows = compare_two(KNN, NETWORK, *LACKING).tables[0].rows
    assert [row[1] for row in rows[3:]] == ["RMSE", "MSE", "half MSE"]
    assert [round(row[3], 4) for row in rows[3:]] == [0.9, 0.81, 0.405]
    assert [row[2] for row in rows] == [None] * 3 + [1.0, 1.0, 0.5]
    assert compare_two(None, NETWORK, *LACKING).missing == LACKING[0]


def test_figure_five_orders_systems_by_rmse_without_rankers():
    found = compare_all([RANKER, KNN, BIAS, NETWORK], *LACKING)
    assert [row[0] for row in found.tables[0].rows] == [
        "Damped bias", "Autoencoder", "User-user KNN",
    ]  # fmt: skip
    assert [panel["label"] for panel in found.drawing["panels"]] == ["RMSE", "MAE"]
    assert compare_all([RANKER], *LACKING).missing == LACKING[0]


def test_the_order_of_table_two_may_be_reproduced_or_not():
    assert "the order of Table II is reproduced" in findings(KNN, NETWORK)
    worse = replace(NETWORK, rmse=1.2)
    assert "the order of Table II is not reproduced" in findings(KNN, worse, autoencoder=worse)


def test_the_papers_values_count_as_reproduced_if_one_definition_gives_both():
    assert "are not: no definition" in findings(KNN, NETWORK)
    one, other = replace(NETWORK, rmse=0.3544**0.5), replace(KNN, rmse=11.6715**0.5)
    assert "are reproduced as MSE." in findings(other, one, autoencoder=one, knn=other)


def test_systems_with_a_lower_error_are_named():
    assert "1 of 2 other trained models have a lower test RMSE" in findings(BIAS, KNN, NETWORK)
    assert "lowest test RMSE of 2 trained models" in findings(KNN, NETWORK)


def test_significance_is_counted_before_and_after_holm():
    assert "1 of 1 differences are significant at p < 0.01, 0 after" in findings(BIAS, NETWORK)
    assert "Whether these differences are significant is not stored." in findings(KNN, NETWORK)


def test_the_training_loss_is_judged_by_tenths():
    assert "falls, as in Figure 4, from a mean of 1.985" in findings(KNN, NETWORK)


def test_the_query_network_is_held_against_the_papers_limit():
    query = Result("query-mlp", "Query network", "paper", train_rmse=1.1)
    assert "RMSE of 1.100, so this is not reproduced" in findings(query, NETWORK)
    assert "so this is reproduced" in findings(replace(query, train_rmse=1.3), NETWORK)


def test_what_was_not_run_is_always_said():
    assert "Netflix" in " ".join(state_findings([], None, None, ""))
