"""Exact nearest users by dense tiles of whole numbers: the form of ``top`` for a GPU.

The ratings lie on the device as they are stored, sparse. A tile is the product of a block of
queries and a block of users, both made dense for it: whole numbers, exact in int8 with sums of 32
bits, or in float32 while every sum stays below 2^24. A float32 test lets through what may enter a
list; whatever comes through is ordered by the expressions of ``top`` in float64, and overlaps are
counted where keys are equal. So the lists are those of ``top``, order included, on every device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.levels import Levels, Nearest, cosines
from recommender.core.systems import Progress, ignore_progress

CLOSE = 1e-6  #: what the float32 test lets through: relative, some ten times its rounding
LEAST = 1e-30  #: what nobody without a common movie reaches
MULTIPLE = 32  #: sides of tiles: matrix units take them in steps of 8 or 16
LARGEST = 8_192, 16_384  #: queries and users of a tile, where memory allows
CHUNK = 128  #: users whose best score stands for them when a bound is looked for
AT_ONCE = 1 << 21  #: pairs, or ratings of pairs, that are looked at together
MEMORY = 4 << 30  #: bytes that tiles may take


class Tensors(NamedTuple):
    """``Levels`` on a device, with the squared norm of every profile."""

    indptr: torch.Tensor
    movies: torch.Tensor
    levels: torch.Tensor
    square: torch.Tensor  #: float64: a whole number

    @classmethod
    def of(cls, profiles: Levels, device: str) -> Self:
        ends = np.concatenate(([0], np.cumsum(profiles.levels.astype(np.int64) ** 2)))
        square = (ends[profiles.indptr[1:]] - ends[profiles.indptr[:-1]]).astype(np.float64)
        parts = (profiles.indptr, profiles.movies, profiles.levels, square)
        return cls(*(torch.from_numpy(part).to(device) for part in parts))

    def entries(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(which of ``rows``, which stored rating) of every rating in them."""
        starts, lengths = self.indptr[rows], self.indptr[rows + 1] - self.indptr[rows]
        which = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), lengths)
        shifts = starts - (lengths.cumsum(0) - lengths)
        return which, torch.arange(len(which), device=rows.device) + shifts[which]

    def dense(self, rows: torch.Tensor, shape: tuple[int, int], kind: torch.dtype) -> torch.Tensor:
        """The profiles ``rows``, filled up with zeros to ``shape``."""
        which, entries = self.entries(rows)
        tile = torch.zeros(shape, dtype=kind, device=rows.device)
        tile.view(-1)[which * shape[1] + self.movies[entries]] = self.levels[entries].to(kind)
        return tile


@dataclass
class Lists:
    """The best users of each query of a block so far, best first; -1 and a key of 0: nobody."""

    users: torch.Tensor  #: (queries, k) int64
    keys: torch.Tensor  #: (queries, k) float64

    @classmethod
    def empty(cls, n: int, k: int, device: str) -> Self:
        users = torch.full((n, k), -1, device=device)
        return cls(users, torch.zeros(n, k, dtype=torch.float64, device=device))


@dataclass
class Candidates:
    """Pairs of a query of the block and a user, with the key that orders them."""

    queries: torch.Tensor
    users: torch.Tensor
    keys: torch.Tensor
    overlaps: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def __getitem__(self, places: torch.Tensor) -> Candidates:
        return Candidates(self.queries[places], self.users[places], self.keys[places])


def nearest(
    profiles: Levels,
    n_movies: int,
    queries: Levels,
    rows: NDArray[np.int64],
    k: int,
    *,
    own: NDArray[np.int64] | None = None,
    cosine: bool = True,
    device: str = "cuda",
    memory: int = MEMORY,
    kind: torch.dtype | None = None,
    progress: Callable[[Progress], None] = ignore_progress,
) -> Nearest:
    """The k nearest users among ``profiles`` of each of the ``rows`` of ``queries``.

    Arguments and answer are those of ``top.nearest``. Tiles take ``memory`` bytes at most, beside
    the ratings (about 9 bytes each). ``kind``: the type that is multiplied; default: int8 on a
    GPU, elsewhere float32, or float64 where a dot product may reach 2^24.

    Raises ConfigurationError where the device is not there.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigurationError("There is no CUDA device that torch can use. Choose device cpu.")
    own = rows if own is None else own
    everyone = Tensors.of(profiles, device)
    asking = everyone if queries is profiles else Tensors.of(queries, device)
    kind = kind or _kind(everyone, asking, device)
    n_users = len(everyone.square)
    shape = _shape(len(rows), n_users, n_movies, kind, memory)
    users = np.full((len(rows), k), -1, np.int32)
    keys = np.zeros((len(rows), k))
    done = 0
    for first in range(0, len(rows), shape[0]):
        here = slice(first, first + shape[0])
        block = _Block(everyone, asking, rows[here], own[here], shape, n_movies, kind, cosine)
        lists = Lists.empty(len(rows[here]), k, device)
        for start in range(0, n_users, shape[1]):
            stop = min(start + shape[1], n_users)
            progress(Progress(phase="comparing", done=done // n_users, total=len(rows)))
            block.compare(start, stop, lists)
            done += block.n * (stop - start)
        users[here], keys[here] = lists.users.cpu().numpy(), lists.keys.cpu().numpy()
    square = asking.square.cpu().numpy()[rows]
    return Nearest(users, cosines(keys, square) if cosine else keys, visited=1.0)


class _Block:
    """Some queries, dense; they are compared with one range of users after another."""

    def __init__(
        self,
        everyone: Tensors,
        asking: Tensors,
        rows: NDArray[np.int64],
        own: NDArray[np.int64],
        shape: tuple[int, int],
        n_movies: int,
        kind: torch.dtype,
        cosine: bool,
    ) -> None:
        device = everyone.levels.device
        self.everyone, self.kind, self.cosine, self.n = everyone, kind, cosine, len(rows)
        self.width, self.n_users = _up(n_movies), shape[1]
        self.board = asking.dense(
            torch.from_numpy(rows).to(device), (shape[0], self.width), kind
        )  # (queries, movies)
        self.own = torch.from_numpy(own).to(device)

    def compare(self, first: int, last: int, lists: Lists) -> None:
        """Let the users ``first`` to ``last`` into the lists where they belong."""
        here = torch.arange(first, last, device=self.board.device)
        others = self.everyone.dense(here, (self.n_users, self.width), self.kind)
        dots = _product(self.board, others)[: self.n]  # (queries, users of the tile)
        scores = dots.to(torch.float32, copy=True)
        if self.cosine:
            inverse = torch.zeros(self.n_users, device=dots.device)
            inverse[: last - first] = self.everyone.square[here].clamp_min(1).rsqrt()
            scores *= inverse
        inside = ((self.own >= first) & (self.own < last)).nonzero()[:, 0]
        scores[inside, self.own[inside] - first] = 0
        bounds = self._bounds(scores, lists)
        passed = scores >= bounds[:, None]
        ends = passed.sum(1).cumsum(0).cpu()
        start = 0
        while start < self.n:  # as many queries as bring not too many pairs; one at least
            before = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(torch.searchsorted(ends, before + AT_ONCE, right=True)))
            query, place = passed[start:stop].nonzero(as_tuple=True)
            dot = dots[start:stop][query, place].to(torch.float64)
            keys = dot * dot / self.everyone.square[first + place] if self.cosine else dot
            self._enter(Candidates(query + start, first + place, keys), start, stop, lists)
            start = stop

    def _bounds(self, scores: torch.Tensor, lists: Lists) -> torch.Tensor:
        """(queries) the score that a user needs at least to enter a list.

        The kth best of the lists so far; or the kth best of the chunks' best scores, since so many
        users are at least as good.
        """
        worst = lists.keys[:, -1]
        bounds = (worst.sqrt() if self.cosine else worst).to(torch.float32)
        k, n_chunks = lists.keys.shape[1], scores.shape[1] // CHUNK
        if n_chunks >= k:
            whole = scores[:, : n_chunks * CHUNK].unflatten(1, (n_chunks, CHUNK))
            bounds = torch.maximum(bounds, whole.amax(2).topk(k, dim=1).values[:, -1])
        return (bounds * (1 - CLOSE)).clamp_min(LEAST)

    def _enter(self, found: Candidates, start: int, stop: int, lists: Lists) -> None:
        """Merge candidates of the queries ``start`` to ``stop`` into their lists."""
        if not len(found.users):
            return
        k = lists.users.shape[1]
        known = (lists.users[start:stop] >= 0).nonzero(as_tuple=True)
        both = Candidates(
            torch.cat([known[0] + start, found.queries]),
            torch.cat([lists.users[start:stop][known], found.users]),
            torch.cat([lists.keys[start:stop][known], found.keys]),
        )
        both = both[_sorted(both.queries, -both.keys)]
        places = _places(both.queries)
        # Who is worse than the kth stays outside; of those who equal it, all are kept for now.
        firsts = torch.arange(len(places), device=places.device) - places
        counts = torch.bincount(both.queries, minlength=self.n)
        last = firsts + counts[both.queries].clamp_max(k) - 1
        both = both[both.keys >= both.keys[last]]
        same = (both.queries[1:] == both.queries[:-1]) & (both.keys[1:] == both.keys[:-1])
        none = same.new_zeros(1)
        tied = (torch.cat([none, same]) | torch.cat([same, none])).nonzero()[:, 0]
        both.overlaps = torch.zeros_like(both.users)
        both.overlaps[tied] = self._overlaps(both.queries[tied], both.users[tied])
        order = _sorted(both.queries, -both.keys, -both.overlaps, both.users)
        places = _places(both.queries[order])
        best = order[places < k]
        where = both.queries[best], places[places < k]
        lists.users[where], lists.keys[where] = both.users[best], both.keys[best]

    def _overlaps(self, queries: torch.Tensor, users: torch.Tensor) -> torch.Tensor:
        """How many movies both of each pair rated."""
        found = torch.zeros_like(users)
        for pairs in _pieces(self.everyone.indptr, users):
            which, entries = self.everyone.entries(users[pairs])
            shared = self.board[queries[pairs][which], self.everyone.movies[entries].long()] > 0
            found[pairs] = torch.bincount(which[shared], minlength=len(users[pairs]))
        return found


def _product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """left (a, m) @ right (b, m)^T: (a, b), exact."""
    return torch._int_mm(left, right.T) if left.dtype == torch.int8 else left @ right.T


def _kind(everyone: Tensors, asking: Tensors, device: str) -> torch.dtype:
    if device.startswith("cuda"):
        return torch.int8
    # no dot product is larger than the norms' product (Cauchy and Schwarz)
    largest = [float(part.square.max()) if len(part.square) else 0 for part in (everyone, asking)]
    return torch.float32 if np.sqrt(largest[0] * largest[1]) < 1 << 24 else torch.float64


def _shape(
    n_queries: int, n_users: int, n_movies: int, kind: torch.dtype, memory: int
) -> tuple[int, int]:
    """Queries and users of a tile: the largest, up to ``LARGEST``, that fit into ``memory``."""
    queries, users = min(LARGEST[0], _up(n_queries)), min(LARGEST[1], _up(n_users))

    def size() -> int:
        dense = (queries + users) * _up(n_movies) * kind.itemsize
        return dense + queries * users * (max(4, kind.itemsize) + 4 + 1)  # dots, scores, test

    while size() > memory and max(queries, users) > MULTIPLE:
        if users >= queries:
            users = _up(users // 2)
        else:
            queries = _up(queries // 2)
    return queries, users


def _up(n: int) -> int:
    return -(-max(n, 1) // MULTIPLE) * MULTIPLE


def _sorted(*keys: torch.Tensor) -> torch.Tensor:
    """The order by the first of the keys, then the second ..., all ascending."""
    order = torch.arange(len(keys[0]), device=keys[0].device)
    for key in reversed(keys):
        order = order[torch.argsort(key[order], stable=True)]
    return order


def _places(groups: torch.Tensor) -> torch.Tensor:
    """The place of each within its group: 0, 1, ...; ``groups`` ascend."""
    everything = torch.arange(len(groups), device=groups.device)
    return everything - torch.searchsorted(groups, groups)


def _pieces(indptr: torch.Tensor, users: torch.Tensor) -> Iterator[slice]:
    """Runs of ``users`` with at most ``AT_ONCE`` ratings, or of one user."""
    ends = (indptr[users + 1] - indptr[users]).cumsum(0).cpu()
    start = 0
    while start < len(users):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(torch.searchsorted(ends, before + AT_ONCE, right=True)))
        yield slice(start, stop)
        start = stop
