"""All-pairs top-k cosine by other libraries; runs in the environment of ``make peers``.

    .venv-peers/bin/python benchmarks/_top_k_peers.py PEER FOLDER QUERIES.npy K THREADS OUT.npz

FOLDER holds a workload, QUERIES.npy user positions. Called by all_pairs_top_k.py. Only the search
is timed: the normalised matrix and its transpose are prepared before.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from _runs import measured, tell
from scipy.sparse import csr_matrix


def normalised(folder: Path, kind: type) -> csr_matrix:
    indptr, indices, levels = (
        np.load(folder / f"{name}.npy") for name in ("indptr", "indices", "levels")
    )
    squares = np.add.reduceat(levels.astype(np.float64) ** 2, indptr[:-1])
    values = levels / np.repeat(np.sqrt(squares), np.diff(indptr))
    shape = (len(indptr) - 1, int(indices.max()) + 1)
    return csr_matrix((values.astype(kind), indices, indptr.astype(np.int32)), shape=shape)


def similaripy(folder: Path, queries: np.ndarray, k: int, threads: int, row: dict) -> csr_matrix:
    from similaripy import dot_product

    matrix = normalised(folder, np.float32)  # it computes in float32 only
    with measured(row):
        found = dot_product(
            matrix,
            k=k,
            target_rows=queries.astype(np.int32),
            num_threads=threads,
            verbose=False,
            format_output="csr",
        )
    return found.tocsr()[queries]


def sparse_dot_topn(
    folder: Path, queries: np.ndarray, k: int, threads: int, row: dict
) -> csr_matrix:
    from sparse_dot_topn import sp_matmul_topn

    matrix = normalised(folder, np.float64)
    left, right = matrix[queries], matrix.T.tocsr()
    with measured(row):
        return sp_matmul_topn(left, right, top_n=k, n_threads=threads, sort=True)


def implicit(folder: Path, queries: np.ndarray, k: int, threads: int, row: dict) -> csr_matrix:
    """Calls its kernel, because ``all_pairs_knn`` accepts square products only."""
    from implicit._nearest_neighbours import NearestNeighboursScorer

    matrix = normalised(folder, np.float64)
    right, side = matrix.T.tocsr(), max(matrix.shape)  # it has room for as many sums as rows
    indptr = np.append(right.indptr, np.full(side - matrix.shape[1], right.indptr[-1]))
    right = csr_matrix((right.data, right.indices, indptr), shape=(side, side))
    scorers = [NearestNeighboursScorer(right) for _ in range(threads)]
    parts = np.array_split(queries, threads)

    def part(number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for user in parts[number]:
            here = slice(matrix.indptr[user], matrix.indptr[user + 1])
            ends = np.array([0, here.stop - here.start], np.int32)
            profile = matrix.indices[here], matrix.data[here]
            found.append(scorers[number].recommend(ends, *profile, K=k, remove_own_likes=False))
        return found

    with measured(row), ThreadPoolExecutor(threads) as pool:
        rows = [found for part in pool.map(part, range(threads)) for found in part]
    ends = np.cumsum([0, *(len(users) for users, _ in rows)])
    values, users = (np.concatenate([found[at] for found in rows]) for at in (1, 0))
    return csr_matrix((values, users, ends), shape=(len(queries), matrix.shape[0]))


def main() -> None:
    peer, folder, queries, k, threads, out = sys.argv[1:]
    asked, count = np.load(queries), int(k)
    row: dict = {"name": peer}
    search = {f.__name__: f for f in (similaripy, sparse_dot_topn, implicit)}[peer]
    found = search(Path(folder), asked, count + 1, int(threads), row)  # one may be the user
    users, similarities = np.full((len(asked), count), -1), np.zeros((len(asked), count))
    for at, user in enumerate(asked):
        here = slice(found.indptr[at], found.indptr[at + 1])
        others = found.indices[here] != user
        theirs, values = found.indices[here][others], found.data[here][others]
        best = np.argsort(-values, kind="stable")[:count]
        users[at, : len(best)], similarities[at, : len(best)] = theirs[best], values[best]
    np.savez(out, users=users, similarities=similarities)
    tell(row)


if __name__ == "__main__":
    main()
