"""Checkpoints of a training on disk: one safetensors file, always replaced as a whole."""

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
from safetensors.numpy import save_file

#: writing takes at most this fraction of the training time
MAX_WRITING_SHARE = 1 / 20


class Checkpoints:
    """The checkpoint of one run, recognised by its ``identity`` (JSON-ready).

    Without a target nothing is written or read. The file stays when the run ends; the caller
    removes it once the model is stored.
    """

    def __init__(
        self, target: Path | None, identity: Any, every_seconds: float, version: str = ""
    ) -> None:
        self._target, self._every = target, every_seconds
        self._versions = [version] if version else []
        self._identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._written_at, self._took = time.monotonic(), 0.0

    def is_due(self) -> bool:
        """Whether the last checkpoint is old enough; the interval grows with the writing time."""
        if self._target is None:
            return False
        since = time.monotonic() - self._written_at
        return since >= self._every and (
            self._every == 0 or since * MAX_WRITING_SHARE >= self._took
        )

    def write(self, arrays: Mapping[str, NDArray], facts: Mapping[str, int]) -> None:
        """Replace the file: after a crash it is either the old checkpoint or the new one."""
        if self._target is None:
            return
        started = time.monotonic()
        metadata = {name: str(fact) for name, fact in facts.items()}
        metadata |= {"identity": self._identity, "versions": json.dumps(self._versions)}
        self._target.parent.mkdir(parents=True, exist_ok=True)
        partial = _partial(self._target)
        try:
            contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            save_file(contiguous, partial, metadata)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(self._target)
        finally:
            partial.unlink(missing_ok=True)
        self._written_at = time.monotonic()
        self._took = self._written_at - started

    def read(self) -> tuple[Mapping[str, NDArray], dict[str, int]] | None:
        """The last checkpoint of this run; None if it is missing, damaged or of another run."""
        if self._target is None:
            return None
        _partial(self._target).unlink(missing_ok=True)
        metadata = _read_metadata(self._target)
        if metadata.pop("identity", "") != self._identity:
            return None
        earlier = json.loads(metadata.pop("versions", "[]"))
        self._versions = [*(one for one in earlier if one not in self._versions), *self._versions]
        return _LazyArrays(self._target), {name: int(fact) for name, fact in metadata.items()}


def read_checkpoint_versions(target: Path) -> list[str]:
    """The versions of the code that trained a checkpoint, oldest first; [] without a file."""
    found: list[str] = json.loads(_read_metadata(target).get("versions", "[]"))
    return found


def _read_metadata(target: Path) -> dict[str, str]:
    """Empty if the file is missing or damaged."""
    try:
        with safe_open(target, framework="numpy") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}


class _LazyArrays(Mapping[str, NDArray]):
    """Reads one array at a time: the state may be larger than the free memory."""

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


def _partial(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")
