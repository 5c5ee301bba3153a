"""Arrays and trained models on disk: written atomically, verified when read, never pickled."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray


class StoreError(Exception):
    """A stored file is missing or was changed."""


def path(relative: str) -> Path:
    """An absolute path below STUDYSITE_HOME; rows keep the relative part, so the home can move."""
    home = Path(settings.STUDYSITE_HOME).resolve()
    found = (home / relative).resolve()
    if not found.is_relative_to(home):
        raise StoreError(f"{relative!r} is outside STUDYSITE_HOME.")
    return found


def write_arrays(relative: str, arrays: Mapping[str, NDArray]) -> str:
    """Write one .npy file for each array, which can be memory-mapped; returns the checksum."""
    with _whole_folder(path(relative)) as folder:
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    return _checksum(path(relative))


def read_arrays(relative: str, checksum: str) -> dict[str, NDArray]:
    """Memory-mapped, read-only arrays; StoreError unless their checksum is right."""
    folder = path(relative)
    _verify(folder, checksum)
    return {
        file.stem: np.load(file, mmap_mode="r", allow_pickle=False)
        for file in sorted(folder.glob("*.npy"))
    }


def write_files(relative: str, files: Mapping[str, bytes]) -> str:
    """Write a folder of files by their names; returns the checksum."""
    with _whole_folder(path(relative)) as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    return _checksum(path(relative))


def verified(relative: str, checksum: str) -> Path:
    """The absolute path of a folder with that checksum; StoreError otherwise."""
    folder = path(relative)
    _verify(folder, checksum)
    return folder


def write_artefact(relative: str, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> str:
    """Write a trained model (model.safetensors, facts.json); returns the checksum."""
    from safetensors.numpy import save_file

    with _whole_folder(path(relative)) as folder:
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(whole, folder / "model.safetensors")
        text = json.dumps(facts, indent=2, sort_keys=True)
        (folder / "facts.json").write_text(text, encoding="utf-8")
    return _checksum(path(relative))


def read_artefact(relative: str, checksum: str) -> tuple[dict[str, NDArray], dict[str, Any]]:
    from safetensors.numpy import load_file

    folder = path(relative)
    _verify(folder, checksum)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return load_file(folder / "model.safetensors"), facts


def remove(relative: str) -> None:
    """Delete a folder or file that no row refers to; it may not exist."""
    target = path(relative)
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)


def link(relative: str, to: str) -> None:
    """Give a file a second name within the home, replacing any file of that name."""
    target = path(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.hardlink_to(path(relative))
    _flush(target.parent)


def entries(relative: str) -> list[str]:
    """The relative paths of a folder's entries, half-written ones included."""
    folder = path(relative)
    if not folder.is_dir():
        return []
    return [f"{relative}/{place.name}" for place in sorted(folder.iterdir())]


@contextmanager
def _whole_folder(final: Path) -> Iterator[Path]:
    """A temporary folder that is flushed to disk and renamed when the block ends."""
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f".{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        for file in partial.iterdir():
            _flush(file)
        _flush(partial)
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(final.parent)


def _flush(target: Path) -> None:
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checksum(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's files, in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: digest)
    return digest.hexdigest()


def _verify(folder: Path, checksum: str) -> None:
    if not folder.is_dir():
        raise StoreError(f"{folder} is missing. Restore it from a backup, or create it again.")
    if _checksum(folder) != checksum:
        raise StoreError(
            f"{folder} was changed after it was written. Restore a backup, or create it again."
        )
