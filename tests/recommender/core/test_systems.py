import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from recommender.core.systems import (
    MOVED,
    SYSTEMS,
    config_from_dict,
    config_to_dict,
    describe_preset,
    override,
    present_name,
    system,
    with_settings,
)

#: The checkout. These tests run without the packages of the site, too (make oldest-torch).
ROOT = Path(__file__).resolve().parents[3]


def test_an_unknown_system_is_refused_with_the_known_names():
    with pytest.raises(ConfigurationError, match=", ".join(SYSTEMS)):
        system("oracle")


def test_a_system_without_the_preset_uses_its_own_default():
    assert system("user-knn").preset("compact")[0] == "paper"
    assert system("autoencoder").preset("paper")[0] == "paper"
    assert system("autoencoder").preset()[0] == "compact"


def test_a_preset_that_became_a_system_has_its_name():
    assert present_name("autoencoder", "tuned") == "dual-autoencoder"
    assert present_name("autoencoder", "tuned, changed") == "dual-autoencoder"
    assert present_name("autoencoder", "paper") == "autoencoder"
    assert all(preset in system(name).presets for (_, preset), name in MOVED.items())


@pytest.mark.parametrize("entry", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_has_a_label_a_summary_and_a_preset(entry):
    assert entry.label
    assert entry.summary.endswith(".")
    assert entry.presets


def test_an_unknown_option_is_refused():
    with pytest.raises(ConfigurationError, match=r"no option \['speed'\]"):
        config_from_dict("bias", {"speed": 1})


#: A configuration as models of the first version store it.
FIRST_VERSION = {
    "hidden": [256, 128, 64, 32, 64, 128, 256], "epochs": 14, "learning_rate": 2e-3,
    "schedule": "linear", "batch_users": 32, "withheld_per_user": 32, "loss": "rmse",
    "target": "residual", "normalise": True, "movie_damping": 50.0, "dropout": 0.2,
    "weight_decay": 0.0, "l1": 0.0, "l2": 0.0, "sparsity": 0.0, "unrelated_weight": 0.0,
    "unrelated_per_example": 1, "patience": 0, "validation_share": 0.1,
}  # fmt: skip


def test_fields_added_later_leave_stored_configurations_as_they_are():
    """A checkpoint is recognised by its configuration, so a new key would lose it."""
    compact = system("autoencoder").preset("compact")[1]
    assert config_from_dict("autoencoder", FIRST_VERSION) == compact
    assert config_to_dict(compact) == FIRST_VERSION


def test_a_stored_configuration_is_described_by_what_was_changed():
    def described(preset, config):
        return describe_preset("autoencoder", f"{preset}, changed", config)

    assert described("compact", FIRST_VERSION | {"l2": 0.1}) == "compact, l2=0.1"
    assert described("compact", FIRST_VERSION) == "compact"
    assert described("compact", FIRST_VERSION | {"output": "classes"}) == "compact, output=classes"


def test_an_added_field_at_its_default_is_described_where_the_preset_differs():
    config = config_to_dict(override(system("autoencoder").preset("classes")[1], output="stars"))
    assert "output" not in config
    assert describe_preset("autoencoder", "classes, changed", config).endswith(", output=stars")


def test_override_ignores_fields_that_a_configuration_lacks():
    assert override(AutoencoderConfig(), epochs=3).epochs == 3
    assert override(BiasConfig(), epochs=3) == BiasConfig()


def test_settings_are_read_as_the_type_of_their_field():
    settings = {"hidden": "8, 4,8", "l2": "1e-5", "epochs": "3", "loss": "mse", "normalise": "true"}
    config = with_settings("autoencoder", AutoencoderConfig(), settings)
    wanted = AutoencoderConfig(hidden=(8, 4, 8), l2=1e-5, epochs=3, loss="mse", normalise=True)
    assert config == wanted


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("depth", "3", "no option 'depth'.*hidden, epochs"),
        ("epochs", "3.5", "autoencoder.epochs='3.5' is not a whole number"),
        ("l2", "inf", "autoencoder.l2='inf' is not a number"),
        ("hidden", "8,,8", "autoencoder.hidden='' is not a whole number"),
        ("normalise", "yes", "normalise='yes' is not true or false"),
    ],
)
def test_an_invalid_setting_is_refused(field, text, words):
    with pytest.raises(ConfigurationError, match=words):
        with_settings("autoencoder", AutoencoderConfig(), {field: text})


@pytest.mark.parametrize("entry", SYSTEMS.values(), ids=SYSTEMS)
def test_the_documents_name_every_setting(entry):
    text = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8")
    kinds = {type(preset) for preset in entry.presets.values()}
    names = {field.name for kind in kinds for field in fields(kind)}
    missing = [name for name in sorted({entry.name, *names}) if f"`{name}`" not in text]
    assert missing == [], "docs/algorithms.md describes every system and each of its settings"


def test_the_registry_loads_no_torch():
    code = "import sys, recommender.core.systems; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_library_works_without_django():
    code = (
        "import sys; sys.modules['django'] = None\n"
        "from recommender.core.algorithms.base import implementation\n"
        "from recommender.core import evaluation\n"
        "from recommender.core.systems import SYSTEMS\n"
        "for name, entry in SYSTEMS.items():\n"
        "    [implementation(name, config) for config in entry.presets.values()]"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
