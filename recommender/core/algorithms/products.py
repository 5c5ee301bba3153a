"""The matrix products between the layers, by the fastest kernels that torch has on the device."""

from __future__ import annotations

from typing import Any

import torch

#: torch's other kernels (oneDNN's). For float32 it calls MKL, which does not use the wide vectors
#: of processors that are not Intel's: on an AMD EPYC these take half the time, on Intel's the same
#: (benchmarks/leave_one_out_step.py).
_LINEAR: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)

#: narrower layers gain nothing: these kernels are prepared anew for every number of examples
_WIDE = 512


def affine_relu(values: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """max(0, values (n, a) @ weights (b, a)^T + bias (b)): (n, b)."""
    if _suits(values, weights):
        # Not with the kernel's own "relu": that takes NaN for 0, and a run that broke would go on.
        sums: torch.Tensor = _LINEAR(values, weights, bias, "none", [], "")
        return sums.relu_()
    return torch.addmm(bias, values, weights.T).relu_()


def product(
    left: torch.Tensor, right: torch.Tensor, dtype: torch.dtype | None = None
) -> torch.Tensor:
    """left (n, a) @ right (a, b): (n, b), of the same precision, or rounded to ``dtype`` alone."""
    if _suits(left, right):
        found: torch.Tensor = _LINEAR(left, right.T, None, "none", [], "")
        return found
    if dtype is None or dtype == left.dtype:
        return left @ right
    if left.device.type == "cuda":
        return torch.mm(left, right, out_dtype=dtype)  # sums are kept in it anyway
    return left.to(dtype) @ right.to(dtype)


def _suits(left: torch.Tensor, right: torch.Tensor) -> bool:
    return (
        _LINEAR is not None
        and left.dtype == torch.float32
        and left.device.type == "cpu"
        and min(right.shape) >= _WIDE
        and min(left.shape) > 0
        and torch.backends.mkldnn.is_available()
    )
