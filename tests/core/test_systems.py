import subprocess
import sys

import pytest

from recommender.core.errors import ConfigurationError
from recommender.core.systems import (
    PRESETS,
    SYSTEMS,
    AutoencoderConfig,
    BiasConfig,
    config_from_dict,
    override,
    system,
)


def test_an_unknown_system_is_told_the_known_ones():
    with pytest.raises(ConfigurationError, match="bias, user-knn, autoencoder"):
        system("oracle")


def test_a_system_without_the_preset_uses_its_own_default():
    assert system("user-knn").preset("compact")[0] == "paper"
    assert system("autoencoder").preset("paper")[0] == "paper"
    assert system("autoencoder").preset()[0] == "compact"


@pytest.mark.parametrize("entry", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_has_a_label_a_summary_and_its_default_preset(entry):
    assert entry.label
    assert entry.summary.endswith(".")
    assert entry.default_preset in entry.presets
    assert set(entry.presets) <= set(PRESETS)


def test_an_unknown_option_is_refused():
    with pytest.raises(ConfigurationError, match=r"no option \['speed'\]"):
        config_from_dict("bias", {"speed": 1})


def test_overriding_ignores_what_a_system_does_not_have():
    assert override(AutoencoderConfig(), epochs=3).epochs == 3
    assert override(BiasConfig(), epochs=3) == BiasConfig()


def test_the_registry_loads_no_torch():
    code = "import sys, recommender.core.systems; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_library_works_without_django():
    code = (
        "import sys; sys.modules['django'] = None\n"
        "from recommender.core.algorithms.base import implementation\n"
        "from recommender.core import evaluation\n"
        "[implementation(name) for name in ('bias', 'user-knn', 'autoencoder')]"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
