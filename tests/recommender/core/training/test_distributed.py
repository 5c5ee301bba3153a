"""Training in two processes of torch.distributed against training in one."""

import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.algorithms.query_mlp.model import QueryMLP
from recommender.core.configs.networks import AutoencoderConfig, QueryMLPConfig
from recommender.core.runs import RunOptions
from recommender.core.training import distributed
from tests.recommender.core.matrices import random_ratings

pytestmark = pytest.mark.process

RATINGS = random_ratings(2, n_users=20, n_items=15)
FAITHFUL = AutoencoderConfig(
    hidden=(12, 8, 6, 4, 6, 8, 12), epochs=3, learning_rate=1e-3, batch_users=4
)
EVERY_TERM = {
    "dropout": 0.25,
    "target": "residual",
    "loss": "mse",
    "normalise": True,
    "movie_damping": 3.0,
    "weight_decay": 0.01,
    "l1": 1e-4,
    "l2": 1e-3,
    "sparsity": 0.01,
    "unrelated_weight": 0.3,
    "unrelated_per_example": 2,
    "patience": 1,
}
VARIANTS = {"output": "classes", "residual_blocks": True, "epochs": 1}
CONFIGS = {
    "faithful": FAITHFUL,
    "a-user-each": replace(FAITHFUL, batch_users=1, epochs=1),  # one process gets no example
    "everything": replace(FAITHFUL, **EVERY_TERM),
    "query": QueryMLPConfig(**asdict(FAITHFUL) | EVERY_TERM | VARIANTS | {"hidden": (12, 6, 6)}),
}

ONE_OF_TWO = """
import sys
from pathlib import Path
from torch import distributed
from tests.recommender.core.training.test_distributed import fit, keep

name, folder, rank = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
options = {"max_seconds": float(sys.argv[4])} if sys.argv[4:] else {}
meet = f"file://{folder}/{name}.meet"
distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=2)
model = fit(name, checkpoint=folder / f"{name}.checkpoint", **options)
assert model.finished_ is not bool(options)
keep(model, folder / f"{name}.{rank}")
distributed.destroy_process_group()
"""


def fit(name, **options) -> Autoencoder:
    options = RunOptions(threads=1, checkpoint_seconds=0, **options)
    kind = QueryMLP if isinstance(CONFIGS[name], QueryMLPConfig) else Autoencoder
    return kind(CONFIGS[name]).fit(RATINGS, options=options)


def keep(model, target):
    arrays = {name: np.ascontiguousarray(array) for name, array in model.to_arrays().items()}
    save_file(arrays, target)


TUNED = """
import sys
from torch import distributed
from tests.recommender.core.algorithms.dual_autoencoder.test_model import fit

meet = f"file://{sys.argv[1]}/meet"
distributed.init_process_group("gloo", init_method=meet, rank=int(sys.argv[2]), world_size=2)
fit()
"""


def test_the_dual_autoencoder_is_refused_in_two_processes(tmp_path):
    """Each would train a whole copy of its own."""
    command = [sys.executable, "-c", TUNED, str(tmp_path)]
    pipes = {"stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([*command, str(rank)], **pipes) for rank in range(2)]
    told = [process.communicate(timeout=600)[1] for process in both]
    assert [process.returncode for process in both] == [1, 1]
    assert all("ConfigurationError: dual-autoencoder trains in one process" in t for t in told)


def run_two(name, folder, *seconds):
    command = [sys.executable, "-c", ONE_OF_TWO, name, str(folder)]
    both = [subprocess.Popen([*command, str(rank), *seconds]) for rank in range(2)]
    assert [process.wait(timeout=600) for process in both] == [0, 0]
    (folder / f"{name}.meet").unlink(missing_ok=True)


@pytest.mark.parametrize("name", CONFIGS)
def test_two_processes_learn_what_one_learns(name, tmp_path):
    run_two(name, tmp_path)
    left, right = (load_file(tmp_path / f"{name}.{rank}") for rank in range(2))
    assert all(np.array_equal(left[key], right[key]) for key in left)
    wanted = fit(name).to_arrays()
    # Only the order of sums differs.
    assert np.allclose(left["loss_curve"], wanted["loss_curve"], rtol=1e-6, atol=0)
    for key, array in wanted.items():
        assert np.allclose(left[key], array, rtol=1e-4, atol=1e-5), key


def test_two_processes_resume_together_after_their_time_limit(tmp_path):
    """Both read the checkpoint of the first."""
    for folder in ("whole", "stopped"):
        (tmp_path / folder).mkdir()
    run_two("everything", tmp_path / "whole")
    for seconds in (["0"], []):
        run_two("everything", tmp_path / "stopped", *seconds)
    for rank in range(2):
        before, after = (
            load_file(tmp_path / folder / f"everything.{rank}") for folder in ("whole", "stopped")
        )
        assert all(np.array_equal(before[key], after[key]) for key in before)


def test_without_a_process_group_there_is_one_process():
    values = torch.arange(3.0)
    assert distributed.rank_and_size() == (0, 1)
    assert distributed.gather_rows(values) is distributed.sum_gradient(values) is values
    assert distributed.decide_by_leader(True, "cpu") is True
