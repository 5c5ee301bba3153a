"""Work for a GPU made ready while it works: one thing ahead, in another thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch

Thing = TypeVar("Thing")
Made = TypeVar("Made")


def ahead(
    make: Callable[[Thing], Made], things: Iterable[Thing], device: str, *, at_once: bool = False
) -> Iterator[Made]:
    """``map(make, things)``; on a GPU, or ``at_once``, the next is made while one is used.

    What is made there lies on a stream of its own, so that it waits for no step's kernels.
    """
    on_gpu = device.startswith("cuda")
    if not on_gpu and not at_once:
        yield from map(make, things)
        return
    stream = torch.cuda.Stream(device) if on_gpu else None

    def work(thing: Thing) -> Made:
        with torch.cuda.stream(stream) if stream else nullcontext():
            made = make(thing)
        if stream:
            stream.synchronize()
        return made

    with ThreadPoolExecutor(1, "ahead") as pool:
        next_one: Future[Made] | None = None
        for thing in things:
            this_one, next_one = next_one, pool.submit(work, thing)
            if this_one is not None:
                yield _handed_over(this_one.result(), device)
        if next_one is not None:
            yield _handed_over(next_one.result(), device)


def _handed_over(made: Made, device: str) -> Made:
    """Tell the allocator who uses it: else its memory is given away while a step still reads it."""
    if device.startswith("cuda"):
        for tensor in _tensors(made):
            tensor.record_stream(torch.cuda.current_stream(device))
    return made


def _tensors(thing: Any) -> Iterator[torch.Tensor]:
    if isinstance(thing, torch.Tensor):
        if thing.is_cuda:
            yield thing
    elif is_dataclass(thing):
        for item in fields(thing):
            yield from _tensors(getattr(thing, item.name))
