"""Arrays on disk: written atomically, and verified by their checksum when read."""

import io

import numpy as np
import pytest

from recommender import store

ARRAYS = {
    "values": np.array([0.5, 5.0], np.float32),
    "user_ids": np.array(["ada", "ben", "Zoë"]),
    "indptr": np.arange(5)[::2],
    "fold-u1": np.array([True, False]),
    "grid": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "none": np.zeros(0, np.int64),
}


def test_arrays_come_back_as_they_were_written(home):
    found = store.read_arrays("ratings/a", store.write_arrays("ratings/a", ARRAYS))
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].tolist()) == (array.dtype, array.tolist())


def test_files_are_those_that_numpy_writes(home):
    store.write_arrays("ratings/a", ARRAYS)
    for name, array in ARRAYS.items():
        usual = io.BytesIO()
        np.save(usual, np.ascontiguousarray(array))
        assert (store.path("ratings/a") / f"{name}.npy").read_bytes() == usual.getvalue()


def test_the_checksum_is_that_of_older_versions(home):
    known = "cb976a10f57798d023088c0f8840c35f9437bbe46bbd29fe5ea7ee70914ad56a"
    assert store.write_arrays("ratings/a", {"b": np.arange(3), "a": np.arange(2.0)}) == known


def test_a_file_that_cannot_be_written_leaves_no_folder(home, monkeypatch):
    save = np.save

    def full(file, array, **options):
        if file.name == "values.npy":
            raise OSError(28, "No space left on device")
        save(file, array, **options)

    monkeypatch.setattr(store.np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_arrays("ratings/a", ARRAYS)
    assert store.entries("ratings") == []


def test_each_file_is_on_disk_before_its_folder_has_its_name(home, monkeypatch):
    events, fsync = [], store.os.fsync
    monkeypatch.setattr(store.os, "fsync", lambda d: events.append("flush") or fsync(d))
    rename = store.Path.rename
    monkeypatch.setattr(store.Path, "rename", lambda *a: events.append("name") or rename(*a))
    store.write_arrays("ratings/a", ARRAYS)
    assert events == [*["flush"] * (len(ARRAYS) + 1), "name", "flush"]
