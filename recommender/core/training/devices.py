"""Where a run happens: the device, the threads, and what a lack of memory is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.core.errors import ConfigurationError, OutOfMemory
from recommender.core.systems import RunOptions


def resolve_device(name: str) -> str:
    """``auto`` is the GPU where there is one; ConfigurationError where it is asked for in vain."""
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigurationError(f"There is no device {name!r}. Choose from: auto, cpu, cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "There is no CUDA device that torch can use. Choose device auto or cpu, or install a "
            "CUDA build of torch and the driver."
        )
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


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
