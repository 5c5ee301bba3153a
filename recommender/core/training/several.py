"""One run in several processes of ``torch.distributed``, each with its part of every batch."""

from __future__ import annotations

import torch
from torch import distributed


def rank_and_size() -> tuple[int, int]:
    """Which of how many processes this is; (0, 1) where there is no process group."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def gathered(values: torch.Tensor) -> torch.Tensor:
    """The rows of every process, one process after another; as many or as few as each has."""
    return values if rank_and_size()[1] == 1 else torch.cat(_of_each(values))


def added_up(values: torch.Tensor) -> torch.Tensor:
    """The sum over the processes, in place."""
    if rank_and_size()[1] > 1:
        distributed.all_reduce(values)
    return values


def added_up_rows(rows: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows of any process ascending, their sums); ``rows`` of one process are all different."""
    if rank_and_size()[1] == 1:
        return rows, values
    everyones = _of_each(rows)
    union = torch.unique(torch.cat(everyones))
    sums = values.new_zeros(len(union), *values.shape[1:])
    for own, part in zip(everyones, _of_each(values), strict=True):
        # One process after another: then no row is added to by two threads at once.
        sums.index_add_(0, torch.searchsorted(union, own), part)
    return union, sums


def leader_says(word: bool, device: str) -> bool:
    """What the first process says, so that all do the same."""
    if rank_and_size()[1] == 1:
        return word
    said = torch.tensor([int(word)], device=device)
    distributed.broadcast(said, 0)
    return bool(said)


def _of_each(values: torch.Tensor) -> list[torch.Tensor]:
    _, size = rank_and_size()
    counts = [torch.zeros(1, dtype=torch.int64, device=values.device) for _ in range(size)]
    distributed.all_gather(counts, torch.tensor([len(values)], device=values.device))
    lengths = [int(count) for count in counts]
    padded = values.new_zeros(max(lengths), *values.shape[1:])
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in range(size)]
    distributed.all_gather(parts, padded)
    return [part[:length] for part, length in zip(parts, lengths, strict=True)]
