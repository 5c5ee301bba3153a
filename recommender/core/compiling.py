"""How functions become machine code here: by numba, kept on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any], error_model: str = "python") -> Any:
    """Compile without the interpreter lock; keep the result on disk where a place can be written.

    Numba looks beside the source, then in the user's cache folder, or in NUMBA_CACHE_DIR. With
    the ``error_model`` "numpy" a division by zero gives inf or NaN, no error: only so does a loop
    that divides use the processor's wide vectors.
    """
    try:
        return numba.njit(cache=True, nogil=True, error_model=error_model)(function)
    except RuntimeError:  # no such place: compile anew in every process
        return numba.njit(nogil=True, error_model=error_model)(function)
