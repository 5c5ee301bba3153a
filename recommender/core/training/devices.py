"""Where a run happens: the device, the threads, and what a lack of memory is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.core.errors import ConfigurationError, OutOfMemory
from recommender.core.systems import RunOptions
from recommender.core.training import several


def resolve_device(name: str) -> str:
    """``auto`` is the GPU where there is one; ConfigurationError where it is asked for in vain.

    Of several processes (``several``) each gets the GPU of its number on this machine.
    """
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (
        number and not (kind == "cuda" and number.isdigit())
    ):
        raise ConfigurationError(f"There is no device {name!r}. Choose from: auto, cpu, cuda.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "There is no CUDA device that torch can use. Choose device auto or cpu, or install a "
            "CUDA build of torch and the driver."
        )
    if kind == "cpu" or not torch.cuda.is_available():
        return "cpu"
    rank, size = several.rank_and_size()
    if number or size == 1:
        return f"cuda:{number}" if number else "cuda"
    return f"cuda:{int(os.environ.get('LOCAL_RANK', rank))}"


def half_precision(options: RunOptions) -> torch.dtype | None:
    """What a network's products are computed in while it learns; None: float32.

    "auto" is bfloat16 on a GPU that has it and float32 elsewhere. "bfloat16" is obeyed on every
    device: on a processor it gains no speed and shows about what a GPU learns.

    Raises ConfigurationError for an unknown ``precision``.
    """
    if options.precision not in ("auto", "float32", "bfloat16"):
        raise ConfigurationError(
            f"There is no precision {options.precision!r}. Choose from: auto, float32, bfloat16."
        )
    on_gpu = options.device.startswith("cuda")
    able = on_gpu and torch.cuda.is_bf16_supported()
    chosen = options.precision == "bfloat16" or (options.precision == "auto" and able)
    return torch.bfloat16 if chosen else None


@contextmanager
def guarded(options: RunOptions) -> Iterator[None]:
    """Run with ``options.threads`` threads; too little memory becomes ``errors.OutOfMemory``."""
    threads = torch.get_num_threads()
    try:
        if options.threads:
            torch.set_num_threads(options.threads)
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(options.device) from error
    except RuntimeError as error:  # what torch raises when the processor's memory is full
        if "allocate memory" not in str(error):
            raise
        raise _out_of_memory(options.device) from error
    finally:
        torch.set_num_threads(threads)


def _out_of_memory(device: str) -> OutOfMemory:
    where = "The GPU" if device.startswith("cuda") else "This machine"
    return OutOfMemory(
        f"{where} has too little free memory for this model. Free some of it, use the preset "
        "compact, fewer batch_users or narrower hidden layers, or another device."
    )
