"""Learning to tell the two arms apart by everything on a page but its meaning; pure, seeded.

``features`` turns a page into numbers. The three learners differ in what they find: a weighted sum
of many small signs, one sign or a few together, pages that look alike.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Rows = NDArray[np.float64]
Labels = NDArray[np.bool_]
#: (rows to learn from, their labels, rows to tell) -> labels
Learner = Callable[[Rows, Labels, Rows], Labels]

HASHED = 64
FOLDS = 5
MEANING = [
    (re.compile(r'href="https?://[^"]*"'), 'href="U"'),
    (re.compile(r"Film \d+"), "T"),
    (re.compile(r"\b(?:19|20)\d\d\b"), "Y"),
    (re.compile(r"\b(?:Drama|Comedy|Thriller|Animation|Western)(?:, )?"), "G"),
]
SECRETS = re.compile(r'"[\w-]{32,}"')


def features(body: str, headers: Mapping[str, str], seconds: Sequence[float]) -> list[float]:
    """Lengths, times, numbers, digits of keys and their parity, pieces of markup and headers."""
    # The keys first: a year may stand in one.
    masked = SECRETS.sub('"S"', body)
    for meaning, letter in MEANING:
        masked = meaning.sub(letter, masked)
    part = masked[masked.index('<section class="question"') :]
    # With what stands before their titles.
    cards = [before[-80:] + card for before, card in pairwise(part.split("<h3 ")[:3])]
    numbers: list[float] = [*seconds, len(body), len(masked), len(part), len(part.split())]
    numbers += [len(gzip.compress(text.encode(), mtime=0)) for text in (body, part)]
    numbers += [len(card) for card in cards] + [len(cards[0]) - len(cards[1])]
    numbers += [
        float(number) for number in re.findall(r'<progress value="(\d+)" max="(\d+)"', body)[0]
    ]
    numbers += [numbers[-2] % 2]
    for name in ("assignment", "shown"):
        digits = [int(digit, 16) for digit in _field(body, name) if digit != "-"]
        numbers += [value for digit in digits for value in (digit, digit % 2)] + [sum(digits) % 2]
    said = "\n".join(f"{name}: {value}" for name, value in headers.items())
    pieces = [_pieces(text) for text in (*cards, part)]
    counts = [*pieces, pieces[0] - pieces[1], _pieces(said)]
    return numbers + [float(count) for each in counts for count in each]


def _field(part: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', part)
    assert found
    return found[1]


def _pieces(text: str) -> Rows:
    """How often each run of three characters or words occurs, hashed into few buckets."""
    words = re.findall(r"[\w-]+|[^\w\s]|\s+", text)
    runs = ["".join(words[place : place + 3]) for place in range(len(words) - 2)]
    runs += [text[place : place + 3] for place in range(len(text) - 2)]
    hashed = [zlib.crc32(run.encode()) % HASHED for run in runs]
    return np.bincount(hashed, minlength=HASHED).astype(float)


def hits(rows: Rows, labels: Labels, people: NDArray[np.int64], learner: Learner) -> int:
    """How many labels are told right, each by what was learnt from other people's pages."""
    rows = rows[:, rows.std(axis=0) > 0]
    right = 0
    for fold in range(FOLDS):
        held = people % FOLDS == fold
        told = learner(*_scaled(rows[~held], labels[~held], rows[held]))
        right += int((told == labels[held]).sum())
    return right


def _scaled(known: Rows, labels: Labels, unknown: Rows) -> tuple[Rows, Labels, Rows]:
    centre, spread = known.mean(axis=0), known.std(axis=0) + 1e-9
    return (
        np.clip((known - centre) / spread, -5, 5),
        labels,
        np.clip((unknown - centre) / spread, -5, 5),
    )


def regression(known: Rows, labels: Labels, unknown: Rows) -> Labels:
    """Logistic, with a ridge."""
    signs, ridge = 2.0 * labels - 1, 20.0

    def loss(weights: Rows) -> tuple[float, Rows]:
        margin = signs * (known @ weights)
        slope = -known.T @ (signs / (1 + np.exp(margin))) + ridge * weights
        return float(np.logaddexp(0, -margin).sum() + ridge / 2 * weights @ weights), slope

    start = np.zeros(known.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return unknown @ found.x > 0


def tree(known: Rows, labels: Labels, unknown: Rows, depth: int = 3) -> Labels:
    """Asks of one number at a time whether it is large, as tells the labels apart best."""
    guess = labels.mean() > 0.5
    if depth == 0 or len(set(labels.tolist())) < 2 or len(labels) < 20:
        return np.full(len(unknown), guess)
    best, where, cut = -1.0, 0, 0.0
    for share in (0.2, 0.4, 0.5, 0.6, 0.8):
        cuts = np.quantile(known, share, axis=0)
        for bound in (cuts, cuts - 1e-9):
            above = known > bound
            lean = np.abs(above.T @ (2.0 * labels - 1)) + np.abs(~above.T @ (2.0 * labels - 1))
            if lean.max() > best:
                best, where = float(lean.max()), int(lean.argmax())
                cut = float(bound[where])
    told = np.full(len(unknown), guess)
    here, there = known[:, where] > cut, unknown[:, where] > cut
    for side in (True, False):
        if (here == side).any() and (here != side).any():
            told[there == side] = tree(
                known[here == side], labels[here == side], unknown[there == side], depth - 1
            )
    return told


def neighbours(known: Rows, labels: Labels, unknown: Rows, near: int = 15) -> Labels:
    """The labels of the pages most alike in the twelve numbers that go with the labels most."""
    together = np.abs(known.T @ (labels - labels.mean()))
    chosen = np.argsort(-together)[:12]
    one, other = known[:, chosen], unknown[:, chosen]
    apart = (other**2).sum(1)[:, None] - 2 * other @ one.T + (one**2).sum(1)
    nearest = np.argsort(apart, axis=1)[:, :near]
    return labels[nearest].mean(axis=1) > 0.5


LEARNERS: dict[str, Learner] = {"regression": regression, "tree": tree, "neighbours": neighbours}
