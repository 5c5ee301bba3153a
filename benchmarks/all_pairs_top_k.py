"""Exact nearest users by cosine: 20,000 queries against all 270,896 users, us and three peers.

    python benchmarks/all_pairs_top_k.py                  # about three minutes on four cores
    python benchmarks/all_pairs_top_k.py --queries 270896 --peers    # everybody; ours alone
    python benchmarks/all_pairs_top_k.py --device cuda --queries 270896 --peers   # and on a GPU

Everyone gets the same processor threads and a process of its own; ours runs first and last, and
the slower of the two counts. Our time holds the packing, the peers' only the search. Every
neighbour that differs is compared in whole numbers: it must be a tie, or the peer has rounded.
Similarities must agree with each peer's within what it computes in (``PRECISION``); otherwise the
script keeps no result and ends with an error.
With ``--device cuda`` dense tiles on the card answer the same queries, and the lists must be the
very same, order included. Peers run in the environment of ``make peers`` and are left out without
it. Needs numba, and torch for the tiles.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
from _runs import OURS, PEERS, contestant, keep, measured, tell
from numpy.typing import NDArray
from workload import load

from recommender.core.neighbours.lanes import WIDTH, at_least
from recommender.core.neighbours.levels import Levels
from recommender.core.neighbours.packed import dots, fill, pack, panel
from recommender.core.neighbours.top import nearest

K = 5
NAMES = ["sparse_dot_topn", "similaripy", "implicit"]
#: how far similarities may be apart: double precision, and similaripy's single, which adds up
#: the products of some thousand movies
PRECISION = {"sparse_dot_topn": 1e-6, "similaripy": 1e-4, "implicit": 1e-6}


@numba.njit(nogil=True)
def _additions(panel, packed, bounds):  # type: ignore[no-untyped-def]
    """One block's dot products and tests, and nothing else."""
    hits = 0
    for row in range(len(packed.user)):
        hits += at_least(dots(panel, packed, row), packed.inverse[row], bounds) != 0
    return hits


def ours(folder: Path, queries: Path, threads: int, out: Path) -> None:
    """What the contestant's process of ours does."""
    data, asked, row = load("paper", folder), np.load(queries), {"name": "ours"}
    profiles = Levels(data["indptr"].astype(np.int64), data["indices"], data["levels"])
    n_movies = int(data["indices"].max()) + 1
    tiny = Levels(profiles.indptr[:65], profiles.movies, profiles.levels)
    nearest(pack(tiny, n_movies), tiny, np.arange(64), K)  # compiles, or reads what was compiled
    with measured(row):
        packed = pack(profiles, n_movies, threads)
        found = nearest(packed, profiles, asked, K, threads=threads)
    row["visited"], row["blocks"] = found.visited, -(-len(asked) // WIDTH)
    np.savez(out, users=found.users, similarities=found.similarities)
    # the bound: the same additions with all that they read in the innermost cache
    near = packed._replace(pieces=packed.pieces % 256)
    board, bounds = panel(n_movies), np.full(WIDTH, np.inf, np.float32)
    fill(board, packed.place, profiles, asked[:WIDTH], False)
    _additions(board, near, bounds)
    block: dict[str, Any] = {}
    with measured(block):
        for _ in range(10):
            _additions(board, near, bounds)
    row["bound_cpu_seconds"] = block["cpu_seconds"] / 10 * row["blocks"] * found.visited
    tell(row)


def agreement(folder: Path, asked: NDArray, mine: dict, theirs: dict) -> dict[str, Any]:
    """How the answers differ; positions with another user are compared in whole numbers."""
    data = load("paper", folder)
    indptr, movies, levels = data["indptr"], data["indices"], data["levels"].astype(np.int64)
    room = np.zeros(int(movies.max()) + 1, np.int64)

    def square_and_dot(user: int) -> tuple[int, int]:
        here = slice(indptr[user], indptr[user + 1])
        return int((levels[here] ** 2).sum()), int(room[movies[here]] @ levels[here])

    differ = mine["users"] != theirs["users"]
    ties = 0
    for row in np.flatnonzero(differ.any(axis=1)):
        here = slice(indptr[asked[row]], indptr[asked[row] + 1])
        room[movies[here]] = levels[here]
        for place in np.flatnonzero(differ[row]):
            a, x = square_and_dot(mine["users"][row, place])
            b, y = square_and_dot(theirs["users"][row, place])
            ties += x * x * b == y * y * a
        room[movies[here]] = 0
    gap = np.abs(mine["similarities"] - theirs["similarities"])
    return {
        "largest_similarity_difference": float(gap.max()),
        "positions": int(differ.size),
        "other_neighbour": int(differ.sum()),
        "of_these_exact_ties": int(ties),
    }


def disagreements(checks: dict[str, dict[str, Any]]) -> list[str]:
    """What must not be: similarities further apart than a peer's precision, or no ties in double.

    In single precision users who are no tie may change places; their similarities show how far.
    """
    found = []
    for name, check in checks.items():
        gap, allowed = check["largest_similarity_difference"], PRECISION[name]
        if not gap <= allowed:  # nor NaN
            found.append(f"{name}: similarities differ by {gap:.1g}, more than {allowed:g}")
        no_ties = check["other_neighbour"] - check["of_these_exact_ties"]
        if no_ties and allowed <= 1e-6:
            found.append(f"{name}: {no_ties} other neighbours are no ties")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("var/workload/paper"))
    parser.add_argument("--queries", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--peers", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--device", choices=["cuda", "cpu"], help="dense tiles on it as well")
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
        tiles = by_tiles(options, folder, mine) if options.device else None
        for name in peers:
            theirs = dict(np.load(folder / f"{name}.npz"))
            checks[name] = agreement(options.data, asked, mine, theirs)
    report(rows, checks, options, n_users, tiles)


def by_tiles(options: argparse.Namespace, folder: Path, mine: dict) -> dict[str, Any]:
    """The row of the dense tiles; SystemExit where their lists are others, or the device lacks."""
    out = folder / "tiles.npz"
    call = (options.data, folder / "queries.npy", K, options.device, out)
    row = contestant(OURS, "_top_k_tiles.py", *call, threads=options.threads)
    theirs = dict(np.load(out))
    if any((mine[name] != theirs[name]).any() for name in ("users", "similarities")):
        raise SystemExit("Tiles and lanes give different lists.")
    return row


def report(
    rows: list[dict[str, Any]],
    checks: dict,
    options: argparse.Namespace,
    n_users: int,
    tiles: dict[str, Any] | None,
) -> None:
    own = [row for row in rows if row["name"] == "ours"]
    slower = max(own, key=lambda row: float(row["seconds"]))
    bound = slower["bound_cpu_seconds"]
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
    print(f"{'bound: additions':18}{'':9}{bound:9.1f}   all of them in the innermost cache")
    for name, check in checks.items():
        print(
            f"{name}: similarities within {check['largest_similarity_difference']:.1g}; "
            f"{check['other_neighbour']} of {check['positions']} neighbours differ, "
            f"{check['of_these_exact_ties']} of them exact ties"
        )
    if wrong := disagreements(checks):
        raise SystemExit("Other answers than the peers', so nothing is kept. " + "; ".join(wrong))
    if tiles:
        print(
            f"{tiles['name']} ({tiles['device']}): the same lists in {tiles['seconds']:.1f} s and "
            f"{tiles['device_gb']:.1f} GB of the device; its int8 products alone "
            f"{tiles['bound_seconds']:.1f} s at {tiles['product_rate'] / 1e12:.1f} TOP/s"
        )
    if options.queries < n_users:
        for row in (slower, *([tiles] if tiles else [])):
            whole = n_users / options.queries * row["seconds"]
            print(f"{row['name']}: all {n_users} users at this rate: {whole:.0f} s")
    content = {
        "queries": options.queries,
        "users": n_users,
        "k": K,
        "threads": options.threads,
        "rows": rows,
        "share_of_bound": bound / slower["cpu_seconds"],
        "agreement": checks,
        "tiles": tiles,
    }
    keep("all_pairs_top_k", content, options.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main()
