"""Compiles functions to machine code with numba and caches the result on disk.

numba checks only the file that a kernel is in before it loads cached code. A kernel also contains
the helpers and constants it takes from other modules, so the cache folder is named after the
sources of the kernel's whole package: an edit anywhere in the package compiles it again.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

CORE = Path(__file__).resolve().parent


def kernel(function: Callable[..., Any], error_model: str = "python") -> Any:
    """Compile ``function`` on its first call; it releases the interpreter lock while it runs.

    The ``error_model`` "numpy" makes a division by zero give inf or NaN instead of an exception.
    Loops that divide are vectorised only with it.
    """
    file = Path(inspect.getfile(function)).resolve()
    package = next((folder for folder in file.parents if folder.parent == CORE), file.parent)
    folder = _cache_folder(package)
    compiled = numba.njit(nogil=True, error_model=error_model)(function)
    if folder is not None:
        users_choice, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder)
        try:
            compiled.enable_caching()
        finally:
            numba.config.CACHE_DIR = users_choice
    return compiled


@cache
def _cache_folder(package: Path) -> Path | None:
    """The folder for the package as it is now, or None where no place can be written.

    It lies in NUMBA_CACHE_DIR if that is set, else in ``__pycache__`` or the user's cache.
    """
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package)}\0".encode() + source.read_bytes() + b"\0")
    chosen = numba.config.CACHE_DIR
    places = [str(chosen)] if chosen else [str(CORE / "__pycache__"), "~/.cache/studysite"]
    for place in places:
        try:
            folder = Path(place).expanduser() / "numba" / digest.hexdigest()
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):  # RuntimeError: there is no home folder
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None
