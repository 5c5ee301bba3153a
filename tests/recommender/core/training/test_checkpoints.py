"""Checkpoint files: format, damage, identity, versions, and those of earlier code."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from recommender.core.training import checkpoints, loop
from recommender.core.training.checkpoints import Checkpoints, read_checkpoint_versions
from tests.recommender.core.matrices import random_ratings
from tests.recommender.core.training.runs import CONFIG, RATINGS, fit, is_same


def test_a_checkpoint_that_takes_long_to_write_is_written_less_often(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 13.0, 60.0, 80.0])
    # Only in this module: other threads use the real clock.
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    book = Checkpoints(tmp_path / "c", "run", every_seconds=5)
    book.write({}, {})  # from 10 to 13: three seconds
    assert not book.is_due()  # at 60
    assert book.is_due()  # at 80


def test_a_checkpoint_is_a_safetensors_file(tmp_path):
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(3)[::-1],
        "none": np.empty((0, 2)),
    }
    Checkpoints(tmp_path / "c", "run", 0).write(arrays, {"epoch": 3})
    found = load_file(tmp_path / "c")
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    read, facts = Checkpoints(tmp_path / "c", "run", 0).read()
    assert facts == {"epoch": 3}
    assert dict(read)["b"].tolist() == [2, 1, 0]


def test_a_run_killed_while_writing_leaves_no_partial_file(tmp_path):
    (tmp_path / ".run.partial").write_bytes(b"half a checkpoint")
    assert is_same(fit(checkpoint=tmp_path / "run"), fit())
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


@pytest.mark.parametrize(
    "other",
    [
        {"config": replace(CONFIG, learning_rate=2e-3)},
        {"ratings": random_ratings(3, n_users=20, n_items=15)},
        {"ratings": replace(RATINGS, values=RATINGS.values[::-1].copy())},
        {"seed": 1},
    ],
)
def test_a_checkpoint_of_another_run_is_ignored(tmp_path, other):
    fit(checkpoint=tmp_path / "c")
    assert is_same(fit(**other, checkpoint=tmp_path / "c"), fit(**other))


def test_a_checkpoint_records_every_version_of_the_code_that_trained_it(tmp_path):
    fit(checkpoint=tmp_path / "c", version="old", max_seconds=0)
    assert read_checkpoint_versions(tmp_path / "c") == ["old"]
    fit(checkpoint=tmp_path / "c", version="newer", max_seconds=0)  # trains nothing
    assert read_checkpoint_versions(tmp_path / "c") == ["old"]
    fit(checkpoint=tmp_path / "c", version="new")
    assert read_checkpoint_versions(tmp_path / "c") == ["old", "new"]
    assert read_checkpoint_versions(tmp_path / "none") == []


def test_a_checkpoint_of_another_layout_is_ignored(tmp_path, monkeypatch):
    fit(checkpoint=tmp_path / "c", max_seconds=0)
    monkeypatch.setattr(loop, "LAYOUT", loop.LAYOUT + 1)
    seen = []
    fit(checkpoint=tmp_path / "c", max_seconds=0, progress=seen.append)
    assert [step.epoch for step in seen if step.phase == "training" and step.done] == [1]


def test_a_damaged_checkpoint_is_ignored(tmp_path):
    fit(checkpoint=tmp_path / "c")
    content = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(content[: len(content) // 2])
    assert is_same(fit(checkpoint=tmp_path / "c"), fit())


#: the parameters of CONFIG's network, by the names that checkpoints have had from the beginning
NAMES = ["first", "first.bias", "last", "last.bias"] + [
    f"middle.{layer}{part}" for layer in range(6) for part in ("", ".bias")
]


def write_as_first_version(target, arrays, metadata):
    """The safetensors format as the first version of the code wrote it, array by array."""
    kinds = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8"}
    header, end = {"__metadata__": metadata}, 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": kinds[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    parts = [len(text).to_bytes(8, "little"), text, *(a.tobytes() for a in arrays.values())]
    target.write_bytes(b"".join(parts))


def test_a_checkpoint_of_the_first_version_of_the_code_is_resumed(tmp_path):
    fit(checkpoint=tmp_path / "c", max_seconds=0)
    with safe_open(tmp_path / "c", framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    moments = [f"adam.{kind}.{name}" for kind in ("mean", "square", "steps") for name in NAMES]
    assert set(arrays) == {*NAMES, *moments, "loop.points", "loop.generator"}
    for name in NAMES:
        shape = arrays[name].shape
        assert len(shape) == (1 if name.endswith("bias") else 2)
        assert arrays[f"adam.mean.{name}"].shape == arrays[f"adam.square.{name}"].shape == shape
        arrays[f"adam.steps.{name}"] = arrays[f"adam.steps.{name}"].astype(np.int64)
    write_as_first_version(tmp_path / "c", arrays, metadata)
    seen = []
    resumed = fit(checkpoint=tmp_path / "c", progress=seen.append)
    first = next(step.done for step in seen if step.phase == "training" and step.done)
    assert first > arrays["loop.points"][:, 0].sum()
    assert is_same(resumed, fit())
