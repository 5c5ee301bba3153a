"""Exact nearest users by cosine: 20,000 queries against 270,896 users, by us and three peers.

    python benchmarks/all_pairs_top_k.py                  # about three minutes on four cores
    python benchmarks/all_pairs_top_k.py --queries 270896 --peers    # all users, ours alone

Every contestant gets the same number of threads and a process of its own. Ours runs first and last,
and the slower run counts. Our time includes packing, the peers' only the search.

Every neighbour that differs is compared in whole numbers: either it is a tie or the peer has
rounded. Similarities must agree with each peer's within the precision it computes in
(``PRECISION``); otherwise the script fails and keeps no result. Peers run in the environment of
``make peers`` and are skipped without it. Needs numba.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _runs import OURS, PEERS, contestant, keep, measured, tell
from numpy.typing import NDArray
from scipy.sparse import csr_array
from workload import load

from recommender.core.neighbours.fast.nearest_users import CompiledIndex
from recommender.core.neighbours.fast.packed_profiles import to_integer_profiles
from recommender.core.ratings import Scale

K = 5
SCALE = Scale(0.5, 5, 0.5)
NAMES = ["sparse_dot_topn", "similaripy", "implicit"]
#: the largest difference between similarities: double precision, and single for similaripy, which
#: adds up the products of some thousand items
PRECISION = {"sparse_dot_topn": 1e-6, "similaripy": 1e-4, "implicit": 1e-6}


def ours(folder: Path, queries: Path, threads: int, out: Path) -> None:
    """Run our search in a process of its own."""
    data, asked, row = load("paper", folder), np.load(queries), {"name": "ours"}
    stars = (data["levels"] / 2).astype(np.float32)
    matrix = csr_array((stars, data["indices"], data["indptr"].astype(np.int64)))
    few = matrix[:64]
    index_of(few, threads).nearest(few, None, K)  # compiles, or reads what was compiled
    with measured(row):
        index = index_of(matrix, threads)
        users, similarities = index.nearest(matrix[asked], asked, K)
    np.savez(out, users=users, similarities=similarities)
    tell(row)


def index_of(matrix: csr_array, threads: int) -> CompiledIndex:
    profiles = to_integer_profiles(matrix, SCALE)
    assert profiles is not None  # the workload has half stars
    return CompiledIndex(profiles, matrix.shape[1], SCALE, threads)


def agreement(folder: Path, asked: NDArray, mine: dict, theirs: dict) -> dict[str, Any]:
    """Count the differences; positions with another user are compared in whole numbers."""
    data = load("paper", folder)
    indptr, items, levels = data["indptr"], data["indices"], data["levels"].astype(np.int64)
    room = np.zeros(int(items.max()) + 1, np.int64)

    def square_and_dot(user: int) -> tuple[int, int]:
        here = slice(indptr[user], indptr[user + 1])
        return int((levels[here] ** 2).sum()), int(room[items[here]] @ levels[here])

    differ = mine["users"] != theirs["users"]
    ties = 0
    for row in np.flatnonzero(differ.any(axis=1)):
        here = slice(indptr[asked[row]], indptr[asked[row] + 1])
        room[items[here]] = levels[here]
        for place in np.flatnonzero(differ[row]):
            a, x = square_and_dot(mine["users"][row, place])
            b, y = square_and_dot(theirs["users"][row, place])
            ties += x * x * b == y * y * a
        room[items[here]] = 0
    gap = np.abs(mine["similarities"] - theirs["similarities"])
    return {
        "largest_similarity_difference": float(gap.max()),
        "positions": int(differ.size),
        "other_neighbour": int(differ.sum()),
        "of_these_exact_ties": int(ties),
    }


def disagreements(checks: dict[str, dict[str, Any]]) -> list[str]:
    """Similarities that differ by more than a peer's precision, and neighbours that are not ties.

    In single precision, users who are not tied may change places within that precision.
    """
    found = []
    for name, check in checks.items():
        gap, allowed = check["largest_similarity_difference"], PRECISION[name]
        if not gap <= allowed:  # nor NaN
            found.append(f"{name}: similarities differ by {gap:.1g}, more than {allowed:g}")
        no_ties = check["other_neighbour"] - check["of_these_exact_ties"]
        if no_ties and allowed <= 1e-6:
            found.append(f"{name}: {no_ties} other neighbours are not ties")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("var/workload/paper"))
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--peers", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--out", type=Path, help="default: results/all_pairs_top_k.json")
    options = parser.parse_args()
    n_users = len(load("paper", options.data)["indptr"]) - 1
    chosen = np.random.default_rng(7).permutation(n_users)[: options.queries]
    asked, rows, checks = np.sort(chosen), [], {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        np.save(folder / "queries.npy", asked)
        arguments = (options.data, folder / "queries.npy")
        peers = options.peers if PEERS.exists() else []
        for name in ["ours", *peers, "ours"]:
            out = folder / f"{name}.npz"
            if name == "ours":
                call = (OURS, "all_pairs_top_k.py", "--ours", *arguments, options.threads, out)
            else:
                call = (PEERS, "_top_k_peers.py", name, *arguments, K, options.threads, out)
            rows.append(contestant(*call, threads=options.threads))
            print(f"{name}: {rows[-1]['seconds']:.1f} s", flush=True)
        mine = dict(np.load(folder / "ours.npz"))
        for name in peers:
            theirs = dict(np.load(folder / f"{name}.npz"))
            checks[name] = agreement(options.data, asked, mine, theirs)
    report(rows, checks, options, n_users)


def report(
    rows: list[dict[str, Any]], checks: dict, options: argparse.Namespace, n_users: int
) -> None:
    own = [row for row in rows if row["name"] == "ours"]
    slower = max(own, key=lambda row: float(row["seconds"]))
    print(f"\n{options.queries} queries against {n_users} users, {options.threads} threads")
    print(
        f"{'':18}{'seconds':>9}{'cpu s':>9}{'peak GB':>9}{'load':>7}{'ours is x faster (cpu)':>24}"
    )
    for row in rows:
        faster = row["seconds"] / slower["seconds"], row["cpu_seconds"] / slower["cpu_seconds"]
        print(
            f"{row['name']:18}{row['seconds']:9.1f}{row['cpu_seconds']:9.1f}{row['peak_gb']:9.2f}"
            f"{row['load']:7.1f}{faster[0]:15.1f} ({faster[1]:.1f})"
        )
    for name, check in checks.items():
        print(
            f"{name}: similarities within {check['largest_similarity_difference']:.1g}; "
            f"{check['other_neighbour']} of {check['positions']} neighbours differ, "
            f"{check['of_these_exact_ties']} of them exact ties"
        )
    if wrong := disagreements(checks):
        raise SystemExit(
            "The answers differ from the peers', so nothing is kept. " + "; ".join(wrong)
        )
    if options.queries < n_users:
        whole = n_users / options.queries * slower["seconds"]
        print(f"ours: all {n_users} users at this rate: {whole:.0f} s")
    content = {
        "queries": options.queries,
        "users": n_users,
        "k": K,
        "threads": options.threads,
        "rows": rows,
        "agreement": checks,
    }
    keep("all_pairs_top_k", content, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main()
