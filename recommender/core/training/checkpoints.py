"""The state of a run on disk: replaced as a whole now and then, and known by its identity."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

#: writing takes at most one part in so many of a run's time
SHARE_OF_TIME = 20


class Checkpoints:
    """Of one run, told apart by ``identity`` (JSON-ready); without a file they do nothing.

    The file stays when the run is done: whoever named it removes it once the model is safe.
    """

    def __init__(
        self, target: Path | None, identity: Any, every_seconds: float, version: str = ""
    ) -> None:
        self._target, self._every = target, every_seconds
        self._versions = [version] if version else []
        self._identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._written_at, self._took = time.monotonic(), 0.0

    def are_due(self) -> bool:
        """Whether the last one is old enough; more so the longer it took to write."""
        if self._target is None:
            return False
        since = time.monotonic() - self._written_at
        return since >= self._every and (self._every == 0 or since >= SHARE_OF_TIME * self._took)

    def write(self, arrays: Mapping[str, NDArray], facts: Mapping[str, int]) -> None:
        if self._target is None:
            return
        started = time.monotonic()
        told = {"identity": self._identity, **{name: str(fact) for name, fact in facts.items()}}
        told["versions"] = json.dumps(self._versions)
        _write(self._target, arrays, told)
        self._written_at = time.monotonic()
        self._took = self._written_at - started

    def read(self) -> tuple[Mapping[str, NDArray], dict[str, int]] | None:
        """What this run wrote last; None where there is nothing, or something else, or damage."""
        target = self._target
        if target is None:
            return None
        _partial(target).unlink(missing_ok=True)
        if not target.exists():
            return None
        facts = _facts(target)
        if facts.pop("identity", "") != self._identity:
            return None
        earlier = json.loads(facts.pop("versions", "[]"))
        self._versions = [*(one for one in earlier if one not in self._versions), *self._versions]
        return _Arrays(target), {name: int(fact) for name, fact in facts.items()}


def versions(target: Path) -> list[str]:
    """Of the code that learned what a checkpoint holds, oldest first; none where there is none."""
    found: list[str] = json.loads(_facts(target).get("versions", "[]"))
    return found


def _facts(target: Path) -> dict[str, str]:
    """What a checkpoint tells beside its arrays; nothing where it is missing or damaged."""
    try:
        with safe_open(target, framework="numpy") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}


class _Arrays(Mapping[str, NDArray]):
    """Read one at a time: a state may be larger than the memory that is left."""

    def __init__(self, source: Path) -> None:
        self._file = safe_open(source, framework="numpy")
        self._names = list(self._file.keys())

    def __getitem__(self, name: str) -> NDArray:
        if name not in self._names:
            raise KeyError(name)
        array: NDArray = self._file.get_tensor(name)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _write(target: Path, arrays: Mapping[str, NDArray], facts: Mapping[str, str]) -> None:
    """Replace ``target`` as a whole: after a crash it is the old checkpoint or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(target)
    try:
        with partial.open("wb") as file:
            _stream(file, arrays, facts)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _stream(file: Any, arrays: Mapping[str, NDArray], facts: Mapping[str, str]) -> None:
    """The safetensors format, array by array: its own writer first copies them all."""
    names = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8", "int32": "I32"}
    header: dict[str, Any] = {"__metadata__": dict(facts)}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for array in arrays.values():
        file.write(np.ascontiguousarray(array).data.cast("B") if array.size else b"")


def _partial(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")
