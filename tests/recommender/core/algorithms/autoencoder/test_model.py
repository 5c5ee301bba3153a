from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from recommender.core.algorithms.autoencoder import model as autoencoder
from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from recommender.core.systems import system
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings
from tests.recommender.core.training import runs

COMPACT = system("autoencoder").preset("compact")[1]
TINY = (48, 32, 24, 16, 24, 32, 48)


class TestCompact(SystemContract):
    system = "autoencoder"
    # Made for a matrix of 40 users: fewer ratings, so less damping and more passes.
    config = replace(
        COMPACT,
        hidden=TINY,
        epochs=60,
        batch_users=16,
        learning_rate=3e-3,
        dropout=0.0,
        movie_damping=1.0,
    )


class TestFaithful(SystemContract):
    system = "autoencoder"
    config = AutoencoderConfig(hidden=TINY, epochs=60, batch_users=16, learning_rate=3e-3)


class TestClasses(SystemContract):
    system = "autoencoder"
    config = replace(TestCompact.config, hidden=(32, 16, 32), output="classes", epochs=40)


class TestResidual(SystemContract):
    system = "autoencoder"
    config = replace(TestCompact.config, residual_blocks=True, epochs=30)


class TestFaithfulClasses(SystemContract):
    """Raw stars in, the five classes of the paper out."""

    system = "autoencoder"
    config = replace(TestClasses.config, target="stars", classes="five", epochs=60)

    def check_taste(self, loved, hated):
        """One star belongs to the class of half a star and one, which stands for 0.75."""
        assert loved.min() > 4
        assert hated.max() < 2


@pytest.fixture(scope="module")
def with_classes():
    ratings = random_ratings(1, n_users=20, n_items=15)
    return Autoencoder(replace(TestClasses.config, epochs=5)).fit(ratings)


def test_the_mean_of_the_class_probabilities_is_the_predicted_rating(with_classes):
    rows, items = np.divmod(np.arange(20 * 15), 15)
    stars, chances = with_classes.class_probabilities(None, rows, items)
    assert np.array_equal(stars, np.arange(0.5, 5.1, 0.5))
    assert chances.shape == (300, 10)
    assert chances.sum(1) == pytest.approx(1)
    is_known = (np.diff(with_classes.profiles_.indptr)[rows] > 0) & (
        with_classes.counts_[items] > 0
    )
    predicted = with_classes.predict(None, rows, items)
    assert is_known.any()
    assert (chances @ stars)[is_known] == pytest.approx(predicted[is_known])


def test_an_empty_profile_has_class_probabilities_around_the_damped_bias(with_classes):
    empty = csr_array((1, 15), dtype=np.float32)
    stars, chances = with_classes.class_probabilities(empty, np.zeros(15, int), np.arange(15))
    bias = with_classes.predict(empty, np.zeros(15, int), np.arange(15))
    nearest = np.abs(stars[:, None] - bias).argmin(0)
    assert np.array_equal(chances.argmax(1), nearest)
    weights = np.exp(-((stars - bias[:, None]) ** 2) / (2 * 1.125**2))
    assert chances == pytest.approx(weights / weights.sum(1, keepdims=True))


def test_class_probabilities_of_a_shifted_scale_name_its_own_stars():
    ratings = random_ratings(1).shifted(-3)
    model = Autoencoder(replace(TestClasses.config, epochs=1)).fit(ratings)
    stars, _ = model.class_probabilities(None, np.zeros(1, int), np.zeros(1, int))
    assert stars == pytest.approx(np.arange(-2.5, 2.1, 0.5))


def test_a_network_that_predicts_stars_has_no_class_probabilities():
    model = Autoencoder(replace(TestCompact.config, epochs=1)).fit(random_ratings(1))
    with pytest.raises(ConfigurationError, match="output=classes"):
        model.class_probabilities(None, np.zeros(1, int), np.zeros(1, int))


def test_scores_of_classes_do_not_depend_on_how_many_are_computed_at_once(
    with_classes, monkeypatch
):
    at_once = with_classes.recommend(None, 5)
    monkeypatch.setattr(Autoencoder, "block_cells", 15 * 20)  # 2 profiles of 10 classes
    again = with_classes.recommend(None, 5)
    assert np.array_equal(again.items, at_once.items)
    assert again.scores == pytest.approx(at_once.scores, nan_ok=True)


@pytest.mark.parametrize(
    ("preset", "change"), [("classes", "output"), ("residual", "residual_blocks")]
)
def test_the_presets_of_variants_differ_from_the_compact_one_in_the_variant(preset, change):
    variant = system("autoencoder").preset(preset)[1]
    assert getattr(variant, change) != getattr(COMPACT, change)
    assert variant.hidden == COMPACT.hidden


def test_the_paper_preset_is_the_papers():
    name, config = system("autoencoder").preset("paper")
    assert name == "paper"
    assert config.hidden == (4096, 2048, 1024, 512, 1024, 2048, 4096)
    assert (config.epochs, config.loss, config.target) == (30, "rmse", "stars")
    assert (config.dropout, config.weight_decay, config.normalise) == (0, 0, False)
    assert (config.l1, config.l2, config.sparsity, config.unrelated_weight) == (0, 0, 0, 0)
    assert config.patience == 0


def test_the_paper_preset_for_large_data_differs_only_in_its_batches():
    paper, large = (system("autoencoder").preset(name)[1] for name in ("paper", "paper-large"))
    assert large != paper
    same = {"batch_users": paper.batch_users, "withheld_per_user": paper.withheld_per_user}
    assert replace(large, **same) == paper


def test_both_presets_have_seven_hidden_layers_with_a_bottleneck():
    for preset in ("compact", "paper"):
        config = system("autoencoder").preset(preset)[1]
        assert len(config.hidden) == 7
        assert config.hidden[:4] == config.hidden[:2:-1]
        assert min(config.hidden) == config.hidden[3]


def test_nothing_is_dropped_when_predicting():
    ratings = random_ratings(1, n_users=20, n_items=15)
    model = Autoencoder(replace(TestCompact.config, epochs=1, dropout=0.5)).fit(ratings)
    pair = np.array([3]), np.array([4])
    assert model.predict(None, *pair) == model.predict(None, *pair)


def test_the_training_error_is_that_of_each_rating_withheld():
    """Compared with predictions from profiles without the rating."""
    ratings = random_ratings(1, n_users=20, n_items=15)
    config = replace(TestFaithful.config, epochs=5)
    model = Autoencoder(config).fit(ratings, options=RunOptions(threads=1))
    squares = []
    for user, item, stars in zip(ratings.rows(), ratings.indices, ratings.values, strict=True):
        dense = ratings.matrix().toarray()[[user]]
        dense[0, item] = 0
        read = model._read(of_dense(dense).matrix())
        output = model._outputs(read, np.array([0]), np.array([item])).item()
        squares.append((np.clip(output, 0.5, 5) - stars) ** 2)
    assert model.train_rmse_ == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)


def test_the_training_error_of_many_ratings_is_sampled(monkeypatch):
    monkeypatch.setattr(autoencoder, "TRAIN_ERROR_SAMPLE", 10)
    seen = []
    Autoencoder(replace(TestCompact.config, epochs=1)).fit(
        random_ratings(1), options=RunOptions(progress=seen.append, threads=1)
    )
    assert seen[-1].total == seen[-1].done == 10


def test_fewer_ratings_are_measured_after_the_time_limit(monkeypatch):
    monkeypatch.setattr(autoencoder, "PARTIAL_SAMPLE", 7)
    seen = []
    model = Autoencoder(replace(TestCompact.config, epochs=2)).fit(
        random_ratings(1), options=RunOptions(progress=seen.append, threads=1, max_seconds=0)
    )
    assert not model.finished_
    assert (seen[-1].phase, seen[-1].total) == ("measuring", 7)


def test_the_learning_rate_can_fall_to_zero():
    ratings, config = random_ratings(1), replace(TestCompact.config, epochs=2)
    models = [
        Autoencoder(replace(config, schedule=schedule)).fit(ratings)
        for schedule in ("constant", "linear")
    ]
    assert not np.array_equal(*(model.to_arrays()["network.first"] for model in models))


def test_the_device_may_be_left_to_the_library():
    config = replace(TestFaithful.config, epochs=1)
    model = Autoencoder(config).fit(random_ratings(1), options=RunOptions(device="auto"))
    assert model.device_ in ("cpu", "cuda")


def test_one_hidden_layer_is_enough():
    config = replace(TestFaithful.config, hidden=(8,), epochs=1)
    model = Autoencoder(config).fit(random_ratings(1))
    assert model.recommend(None, 1).items.shape == (12, 1)


def test_unrated_items_can_be_pulled_to_the_damped_bias():
    ratings = random_ratings(1, n_users=20, n_items=15)
    rows, items = np.nonzero(ratings.matrix().toarray() == 0)
    distances = []
    for weight in (0.0, 3.0):
        config = replace(TestFaithful.config, unrelated_weight=weight, unrelated_per_example=3)
        model = Autoencoder(config).fit(ratings)
        bias = model.scale_.clip(model.bias_.predict(ratings.matrix(), rows, items))
        distances.append(np.mean((model.predict(None, rows, items) - bias) ** 2))
    assert distances[1] < 0.3 * distances[0]


def test_the_sparsity_penalty_reduces_the_bottleneck():
    ratings = random_ratings(1, n_users=20, n_items=15)
    sums = []
    for sparsity in (0.0, 0.5):
        model = Autoencoder(replace(TestFaithful.config, sparsity=sparsity)).fit(ratings)
        first = model.network_.first
        values = torch.from_numpy(ratings.matrix().toarray()) @ first.weight + first.bias
        sums.append(float(model.network_.hidden(values)[1].sum().detach()))
    assert sums[1] < 0.5 * sums[0]


@pytest.mark.parametrize(
    "values",
    [
        {"hidden": ()},
        {"hidden": (4, 0)},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"batch_users": 0},
        {"withheld_per_user": 0},
        {"loss": "hinge"},
        {"target": "rank"},
        {"output": "ranks"},
        {"classes": "six"},
        {"schedule": "cosine"},
        {"dropout": 1.0},
        {"weight_decay": -1.0},
        {"movie_damping": -1.0},
        {"l1": -1.0},
        {"l2": -1.0},
        {"sparsity": -1.0},
        {"unrelated_weight": -1.0},
        {"unrelated_per_example": 0},
        {"patience": -1},
        {"validation_share": 1.0},
    ],
)
def test_a_configuration_that_cannot_be_trained_is_refused(values):
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        Autoencoder(replace(TestFaithful.config, **values)).fit(random_ratings(1))


def test_a_model_trained_in_half_precision_predicts_as_its_stored_form_does():
    config = replace(TestFaithful.config, epochs=2)
    options = RunOptions(threads=1, precision="bfloat16")
    model = Autoencoder(config).fit(random_ratings(1), options=options)
    stored = Autoencoder.from_arrays(config, model.to_arrays())
    rows, items = np.divmod(np.arange(12 * 9), 9)
    assert np.array_equal(model.predict(None, rows, items), stored.predict(None, rows, items))


def test_training_in_half_precision_learns_nearly_the_same():
    config = replace(runs.CONFIG, dropout=0.0, target="residual", epochs=20)
    rows, items = np.divmod(np.arange(20 * 15), 15)
    stars = [
        runs.fit(config, precision=precision).predict(None, rows, items)
        for precision in ("float32", "bfloat16")
    ]
    assert 0 < np.abs(stars[0] - stars[1]).mean() < 0.05


def test_an_artefact_of_the_first_version_of_the_code_predicts_by_its_weights():
    """Its arrays and names, written out; one item has no training ratings."""
    rng = np.random.default_rng(0)
    shapes = {
        "first": (3, 4), "first.bias": (4,), "middle.0": (2, 4), "middle.0.bias": (2,),
        "last": (3, 2), "last.bias": (3,),
    }  # fmt: skip
    weights = {name: rng.uniform(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    arrays = {
        "profiles.indptr": np.array([0, 2]),
        "profiles.indices": np.array([0, 1], np.int32),
        "profiles.values": np.array([4.0, 2.5], np.float32),
        "n_items": np.array([3]),
        "scale": np.array([0.5, 1000.0, 0.5]),
        "seed": np.array([0]),
        "train_rmse": np.array([0.9]),
        "loss_curve": np.array([[1000.0, 1.1]]),
        "bias.mean": np.array([3.25]),
        "bias.item_offsets": np.array([0.1, -0.1, 0.0]),
        "bias.user_damping": np.array([5.0]),
        **{f"network.{name}": array for name, array in weights.items()},
    }
    model = Autoencoder.from_arrays(replace(TestFaithful.config, hidden=(4, 2)), arrays)
    hidden = np.array([4.0, 2.5]) @ weights["first"][:2] + weights["first.bias"]
    hidden = hidden @ weights["middle.0"].T + weights["middle.0.bias"]  # all above zero
    wanted = weights["last"] @ hidden + weights["last.bias"]
    found = model.predict(None, np.zeros(3, int), np.arange(3))
    assert found[:2] == pytest.approx(wanted[:2], rel=1e-5)
    assert found[2] == pytest.approx(3.25 + (0.65 - 0.65) / 7, abs=1e-6)


ROWS, ITEMS = np.divmod(np.arange(30 * 25), 25)
ON_GPU = replace(TestFaithful.config, epochs=3, target="residual")


def on(device, config=ON_GPU, **options) -> Autoencoder:
    ratings = random_ratings(1, n_users=30, n_items=25)
    return Autoencoder(config).fit(ratings, options=RunOptions(device=device, **options))


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "within"), [("float32", 1e-3), ("auto", 5e-2)])
def test_a_gpu_learns_what_the_processor_learns(precision, within):
    wanted = on("cpu").predict(None, ROWS, ITEMS)
    found = on("cuda", precision=precision).predict(None, ROWS, ITEMS)
    assert np.abs(found - wanted).mean() < within


@pytest.mark.gpu
@pytest.mark.parametrize("values", [{}, {"dropout": 0.5, "unrelated_weight": 0.1, "l2": 1e-4}])
def test_a_gpu_learns_the_same_from_the_same_seed(values):
    config = replace(ON_GPU, **values)
    left, right = (on("cuda", config).to_arrays() for _ in range(2))
    assert all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.gpu
def test_a_run_on_a_gpu_is_resumed(tmp_path):
    first = on("cuda", checkpoint=tmp_path / "c", max_seconds=0)
    assert not first.finished_
    resumed, whole = on("cuda", checkpoint=tmp_path / "c").to_arrays(), on("cuda").to_arrays()
    assert all(np.array_equal(resumed[name], whole[name]) for name in whole)


@pytest.mark.gpu
def test_a_model_of_a_gpu_predicts_on_the_processor_what_it_predicts_there():
    model = on("cuda", precision="float32")
    there = model.predict(None, ROWS, ITEMS)
    best = model.recommend(None, 1)
    model.to("cpu")
    assert np.allclose(model.predict(None, ROWS, ITEMS), there, atol=1e-3)
    assert np.mean(model.recommend(None, 1).items == best.items) > 0.9
