"""Prepares the next batch for a GPU in another thread while the current one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch

Input = TypeVar("Input")
Output = TypeVar("Output")


def prefetch(
    make: Callable[[Input], Output],
    inputs: Iterable[Input],
    device: str,
    *,
    always: bool = False,
) -> Iterator[Output]:
    """``map(make, inputs)``; on a GPU, or ``always``, one output ahead of the consumer.

    On a GPU ``make`` has its own CUDA stream, so that it does not wait for the step's kernels.
    """
    on_gpu = device.startswith("cuda")
    if not on_gpu and not always:
        yield from map(make, inputs)
        return
    stream = torch.cuda.Stream(device) if on_gpu else None

    def work(item: Input) -> Output:
        with torch.cuda.stream(stream) if stream else nullcontext():
            output = make(item)
        if stream:
            stream.synchronize()
        return output

    def hand_over(future: Future[Output]) -> Output:
        output = future.result()
        if on_gpu:  # or the allocator would reuse the memory while a step still reads it
            for tensor in _tensors(output):
                tensor.record_stream(torch.cuda.current_stream(device))
        return output

    with ThreadPoolExecutor(1, "prefetch") as pool:
        following: Future[Output] | None = None
        for item in inputs:
            current, following = following, pool.submit(work, item)
            if current is not None:
                yield hand_over(current)
        if following is not None:
            yield hand_over(following)


def _tensors(thing: Any) -> Iterator[torch.Tensor]:
    if isinstance(thing, torch.Tensor):
        if thing.is_cuda:
            yield thing
    elif is_dataclass(thing):
        for item in fields(thing):
            yield from _tensors(getattr(thing, item.name))
