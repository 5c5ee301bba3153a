"""The machine of a run: exclusive use of a device, the device's name and peak memory."""

import fcntl
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self

import psutil

from recommender import store
from recommender.lease import Lease

LOOK_AGAIN_SECONDS = 0.25
SAMPLE_SECONDS = 0.05
MEBIBYTE = 1 << 20


@contextmanager
def hold_device(devices: Sequence[str], lane: str, lease: Lease) -> Iterator[str]:
    """Wait until one of the devices is free on this machine, the first if possible, and hold it.

    One run at a time holds a card. The processor is shared by runs of different lanes (see
    ``queues.lane_of``). The kernel releases the lock when the process dies for any reason. A
    paused process keeps it, because it also keeps the device's memory.
    """
    folder = store.path("locks")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        locks = {
            device: files.enter_context((folder / _lock_name(device, lane)).open("a"))
            for device in devices
        }
        while (device := _locked(locks)) is None:
            lease.phase("waiting for the device")
            time.sleep(LOOK_AGAIN_SECONDS)
        lease.begin_work()
        try:
            yield device
        finally:
            if device.startswith("cuda"):
                import torch

                # Free the memory that torch caches, for the next process on the device.
                torch.cuda.empty_cache()


def _lock_name(device: str, lane: str) -> str:
    return f"{device}-{lane}.lock" if device == "cpu" else f"{device}.lock"


def _locked(locks: Mapping[str, IO[str]]) -> str | None:
    """The first device whose lock was free and is now held; None if there is none."""
    for device, file in locks.items():
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return device
    return None


def has_card() -> bool:
    """Whether torch can use a GPU in this process."""
    import torch

    return torch.cuda.is_available()


def device_name(device: str) -> str:
    """The device's own name, such as the processor's model."""
    if device.startswith("cuda"):
        import torch

        return f"{device}: {torch.cuda.get_device_name(device)}"
    return f"{device}: {_processor()}, {os.cpu_count()} threads"


def _processor() -> str:
    with suppress(OSError):  # not Linux
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class PeakMemory:
    """The peak memory of this process within the block, sampled 20 times a second."""

    def __init__(self, device: str) -> None:
        self._on_cuda = device.startswith("cuda")
        self._device = device
        self._process = psutil.Process()
        self._ended = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> Self:
        if self._on_cuda:
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def megabytes(self) -> float:
        """The peak of the process, plus that of its GPU memory."""
        most = self._most
        if self._on_cuda:
            import torch

            most += torch.cuda.max_memory_allocated(self._device)
        return round(most / MEBIBYTE, 1)

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        self._most = max(self._most, self._process.memory_info().rss)
