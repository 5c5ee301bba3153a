"""Device, precision and threads of a run, and the error for too little memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.core.errors import ConfigurationError, OutOfMemory
from recommender.core.runs import RunOptions
from recommender.core.training.distributed import rank_and_size


def resolve_device(name: str) -> str:
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; auto prefers the GPU.

    Each of several processes gets the GPU of its number on this machine.

    Raises ConfigurationError for an unknown name, and for a GPU that torch cannot use.
    """
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (
        number and not (kind == "cuda" and number.isdigit())
    ):
        raise ConfigurationError(f"Unknown device {name!r}. Choose from: auto, cpu, cuda.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "torch cannot use a CUDA device. Choose device auto or cpu, or install a CUDA build "
            "of torch and the driver."
        )
    if kind == "cpu" or not torch.cuda.is_available():
        return "cpu"
    rank, size = rank_and_size()
    if number or size == 1:
        return f"cuda:{number}" if number else "cuda"
    return f"cuda:{int(os.environ.get('LOCAL_RANK', rank))}"


def half_precision(options: RunOptions) -> torch.dtype | None:
    """The precision of a network's matrix products in training; None for float32.

    "auto" is bfloat16 on a GPU that supports it, float32 elsewhere. "bfloat16" is used on every
    device; on a processor it is not faster, but approximates what a GPU learns.

    Raises ConfigurationError for an unknown ``precision``.
    """
    if options.precision not in ("auto", "float32", "bfloat16"):
        raise ConfigurationError(
            f"Unknown precision {options.precision!r}. Choose from: auto, float32, bfloat16."
        )
    has_support = options.device.startswith("cuda") and torch.cuda.is_bf16_supported()
    chosen = options.precision == "bfloat16" or (options.precision == "auto" and has_support)
    return torch.bfloat16 if chosen else None


@contextmanager
def run_limits(options: RunOptions) -> Iterator[None]:
    """Use ``options.threads`` threads, and raise OutOfMemory when the memory does not suffice."""
    threads = torch.get_num_threads()
    try:
        if options.threads:
            torch.set_num_threads(options.threads)
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(options.device) from error
    except RuntimeError as error:  # torch raises this when the processor's memory is full
        if "allocate memory" not in str(error):
            raise
        raise _out_of_memory(options.device) from error
    finally:
        torch.set_num_threads(threads)


def _out_of_memory(device: str) -> OutOfMemory:
    where = "The GPU" if device.startswith("cuda") else "This machine"
    return OutOfMemory(
        f"{where} has too little free memory for this model. Free some memory, use the preset "
        "compact, fewer batch_users or narrower hidden layers, or another device."
    )
