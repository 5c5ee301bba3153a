"""Arrays on disk: written whole or not at all, verified when read, never pickled."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

CHUNK = 1 << 20


class StoreError(Exception):
    """A stored file is missing or not what was written."""


def path(relative: str) -> Path:
    """A place below STUDYSITE_HOME; rows keep the relative part, so that the home can move."""
    home = Path(settings.STUDYSITE_HOME).resolve()
    found = (home / relative).resolve()
    if not found.is_relative_to(home):
        raise StoreError(f"{relative!r} lies outside STUDYSITE_HOME.")
    return found


def write_arrays(relative: str, arrays: Mapping[str, NDArray]) -> str:
    """One .npy file an array, ready to be memory-mapped; returns the folder's checksum."""
    files = {f"{name}.npy": array for name, array in arrays.items()}

    def fill(folder: Path) -> str:
        # Hashed from memory while each file is written and flushed: reading all of it back would
        # take as long again; benchmarks/import_ratings.py.
        with ThreadPoolExecutor() as pool:
            checksum = pool.submit(_checksum_of, files)
            list(pool.map(lambda name: _save(folder / name, files[name]), files))
            return checksum.result()

    return _write_folder(path(relative), fill)


def read_arrays(relative: str, checksum: str) -> dict[str, NDArray]:
    """Memory-mapped, read-only arrays, after their checksum was verified."""
    folder = path(relative)
    _verify(folder, checksum)
    return {
        file.stem: np.load(file, mmap_mode="r", allow_pickle=False)
        for file in sorted(folder.glob("*.npy"))
    }


def write_artefact(relative: str, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> str:
    """A trained model: model.safetensors and facts.json; returns the folder's checksum."""
    from safetensors.numpy import save_file

    def fill(folder: Path) -> str:
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(whole, folder / "model.safetensors")
        text = json.dumps(facts, indent=2, sort_keys=True)
        (folder / "facts.json").write_text(text, encoding="utf-8")
        for file in folder.iterdir():
            _flush(file)
        return _checksum(folder)

    return _write_folder(path(relative), fill)


def read_artefact(relative: str, checksum: str) -> tuple[dict[str, NDArray], dict[str, Any]]:
    from safetensors.numpy import load_file

    folder = path(relative)
    _verify(folder, checksum)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return load_file(folder / "model.safetensors"), facts


def remove(relative: str) -> None:
    """Delete a folder or file that no row refers to; it may be gone already."""
    target = path(relative)
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)


def link(relative: str, to: str) -> None:
    """Give a file a second name within the home, in place of what may be there."""
    target = path(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.hardlink_to(path(relative))
    _flush(target.parent)


def entries(relative: str) -> list[str]:
    """What lies in a folder, as relative places, half-written ones included."""
    folder = path(relative)
    if not folder.is_dir():
        return []
    return [f"{relative}/{place.name}" for place in sorted(folder.iterdir())]


def _write_folder(final: Path, fill: Callable[[Path], str]) -> str:
    """Fill a folder beside the final place, then rename it into place; returns its checksum.

    ``fill`` flushes its files to disk and returns their ``_checksum``.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = final.with_name(f".{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        checksum = fill(partial)
        _flush(partial)
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _flush(final.parent)
    return checksum


def _save(file: Path, array: NDArray) -> None:
    with file.open("wb") as stream:
        for part in _content(array):
            stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())


def _content(array: NDArray) -> Iterator[bytes | memoryview]:
    """An .npy file: the header and the values, in the order of rows."""
    header, whole = io.BytesIO(), np.asarray(array, order="C")
    facts = np.lib.format.header_data_from_array_1_0(whole)
    np.lib.format.write_array_header_1_0(header, facts)
    yield header.getvalue()
    yield whole.reshape(-1).view(np.uint8).data


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
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _checksum_of(files: Mapping[str, NDArray]) -> str:
    """The ``_checksum`` of a folder with these arrays, without reading it."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0")
        for part in _content(files[name]):
            digest.update(part)
    return digest.hexdigest()


def _verify(folder: Path, checksum: str) -> None:
    if not folder.is_dir():
        raise StoreError(f"{folder} is missing. Restore it from a backup, or make it again.")
    if _checksum(folder) != checksum:
        raise StoreError(
            f"{folder} was changed after it was written. Restore a backup, or make it again."
        )
