"""Reading the layouts of the Netflix Prize, compared with the same ratings as CSV.

    python benchmarks/import_netflix.py --ratings 2000000 --rounds 3

Writes a source of that many ratings in a temporary folder: ``combined_data_1.txt``, a file for
each movie in ``training_set/``, and ``ratings.csv`` with the times in seconds, all in the order
of the Netflix files. ``read_source`` reads each in a process of its own, in turn. The peak
includes Python and its libraries.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _runs import keep
from import_ratings import READERS, timed

RATERS, HIGHEST_USER = 480_189, 2_649_429
MOVIES = 17_770


#: What is read, by its name in the folder of the sources.
LAYOUTS = {"combined_data": "combined", "mv files": "movies", "csv": "ratings.csv"}


def write_source(folder: Path, n_ratings: int, seed: int = 1) -> None:
    """The same seeded ratings in each layout."""
    import numpy as np
    import polars

    n_drawn = n_ratings + n_ratings // 4  # because repeated pairs are dropped
    draw = np.random.default_rng(seed)
    ids = draw.choice(np.arange(1, HIGHEST_USER + 1), RATERS, replace=False)
    # Movies by fame: almost half of the ratings are on a twentieth of the movies.
    movies = (MOVIES * draw.random(n_drawn) ** 4).astype(np.int64) + 1
    raters = ids[(RATERS * draw.random(n_drawn) ** 2).astype(np.int64)]
    table = polars.DataFrame({"movie": movies, "user": raters}).unique().sort("movie", "user")
    table = table[np.sort(draw.choice(table.height, n_ratings, replace=False))]
    every_day = np.arange(np.datetime64("1999-11-11"), np.datetime64("2006-01-01"))
    days = draw.choice(every_day, table.height)
    stars = draw.choice(np.arange(1, 6), table.height, p=[0.05, 0.1, 0.29, 0.33, 0.23])
    table = table.with_columns(stars=stars, day=days)
    line = polars.format("{},{},{}", "user", "stars", "day")
    blocks = table.select("movie", line=line).group_by("movie", maintain_order=True)
    texts = [
        (movie, f"{movie}:\n" + "\n".join(lines) + "\n")
        for movie, lines in blocks.agg("line").iter_rows()
    ]
    combined, single, csv = (folder / name for name in LAYOUTS.values())
    combined.mkdir()
    (combined / "combined_data_1.txt").write_text("".join(text for _, text in texts))
    (single / "training_set").mkdir(parents=True)
    for movie, text in texts:
        (single / "training_set" / f"mv_{movie:07d}.txt").write_text(text)
    table.select(
        userId="user",
        movieId="movie",
        rating="stars",
        timestamp=polars.col("day").cast(polars.Datetime("ms")).dt.epoch("s"),
    ).write_csv(csv)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ratings", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_source(options.write, options.ratings)
        return
    n_ratings = options.ratings
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own, because a child's peak memory begins with that of its parent.
        write = [sys.executable, __file__, "--write", name, "--ratings", str(n_ratings)]
        subprocess.run(write, check=True)
        for _ in range(options.rounds):
            for layout, place in LAYOUTS.items():
                path = str(Path(name) / place)
                command = [sys.executable, "-c", f"import sys; {READERS['read']}", path]
                rows.append({"name": layout, **timed(command, dict(os.environ))})
    best = {
        layout: {
            kind: min(row[kind] for row in rows if row["name"] == layout)
            for kind in ("seconds", "cpu_seconds", "peak_gb")
        }
        for layout in LAYOUTS
    }
    print(f"{n_ratings:,} ratings; the best of {options.rounds} rounds")
    print(
        f"{'':14}{'seconds':>9}{'cpu s':>8}{'ratings/s':>12}{'peak GB':>9}"
        f"{'time / CSV':>12}{'cpu / CSV':>11}"
    )
    for layout, found in best.items():
        found["ratings_per_second"] = n_ratings / found["seconds"]
        for kind in ("seconds", "cpu_seconds"):
            found[f"{kind}_relative_to_csv"] = found[kind] / best["csv"][kind]
        print(
            f"{layout:14}{found['seconds']:9.2f}{found['cpu_seconds']:8.2f}"
            f"{found['ratings_per_second']:12,.0f}{found['peak_gb']:9.2f}"
            f"{found['seconds_relative_to_csv']:12.2f}{found['cpu_seconds_relative_to_csv']:11.2f}"
        )
    keep(__file__, {"ratings": n_ratings, "best": best, "rows": rows})


if __name__ == "__main__":
    main()
