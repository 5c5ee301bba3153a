"""Training in several processes of ``torch.distributed``, each with its share of every batch.

Without a process group all functions return what one process would.
"""

from __future__ import annotations

import torch
from torch import distributed


def rank_and_size() -> tuple[int, int]:
    """The number of this process, and how many there are; (0, 1) without a process group."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def gather_rows(values: torch.Tensor) -> torch.Tensor:
    """The rows (n, ...) of all processes in the order of their ranks; n may differ."""
    return values if rank_and_size()[1] == 1 else torch.cat(_values_of_each(values))


def sum_gradient(gradient: torch.Tensor) -> torch.Tensor:
    """The sum over the processes; a coalesced sparse gradient has the rows of all of them."""
    if rank_and_size()[1] == 1:
        return gradient
    if not gradient.is_sparse:
        gradient = gradient.contiguous()
        distributed.all_reduce(gradient)
        return gradient
    gradient = gradient.coalesce()
    # One process after another, and in their order: every process gets the same bits.
    rows, values = (
        torch.cat(_values_of_each(part)) for part in (gradient.indices()[0], gradient.values())
    )
    return torch.sparse_coo_tensor(
        rows[None], values, gradient.shape, check_invariants=False
    ).coalesce()


def decide_by_leader(decision: bool, device: str) -> bool:
    """The decision of the first process, so that all do the same."""
    if rank_and_size()[1] == 1:
        return decision
    shared = torch.tensor([int(decision)], device=device)
    distributed.broadcast(shared, 0)
    return bool(shared)


def _values_of_each(values: torch.Tensor) -> list[torch.Tensor]:
    _, size = rank_and_size()
    counts = [torch.zeros(1, dtype=torch.int64, device=values.device) for _ in range(size)]
    distributed.all_gather(counts, torch.tensor([len(values)], device=values.device))
    lengths = [int(count) for count in counts]
    padded = values.new_zeros(max(lengths), *values.shape[1:])
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in range(size)]
    distributed.all_gather(parts, padded)
    return [part[:length] for part, length in zip(parts, lengths, strict=True)]
