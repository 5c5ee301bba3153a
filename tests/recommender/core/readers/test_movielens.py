"""The formats of MovieLens: their scales, their companions, and the official folds of ml-100k."""

import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import refusal, triples

HUNDRED = sources.HUNDRED


@pytest.mark.parametrize(("rating", "scale"), [("5", Scale(1, 5, 1)), ("4.5", Scale(0.5, 5, 0.5))])
def test_dat_files_are_in_half_stars_only_if_one_occurs(tmp_path, rating, scale):
    ratings = sources.DAT["ratings.dat"].replace("::5::", f"::{rating}::")
    source = read_source(sources.folder(tmp_path, sources.DAT | {"ratings.dat": ratings}))
    assert source.ratings.scale == scale


@pytest.mark.parametrize(
    ("line", "field"), [("1::20::5", None), ("1:20:5:9", None), ("1:::20::5::9", "movieId")]
)
def test_a_faulty_dat_line_is_refused(tmp_path, line, field):
    files = sources.DAT | {"ratings.dat": f"1::10::5::9\n{line}\n"}
    error = refusal(sources.folder(tmp_path, files))
    assert (error.line, error.field) == (2, field)


@pytest.mark.parametrize(("files", "missing"), [(sources.DAT, "movies.dat"), (HUNDRED, "u.item")])
def test_the_file_of_items_is_required(tmp_path, files, missing):
    rest = {name: content for name, content in files.items() if name != missing}
    assert f"{missing} is missing" in str(refusal(sources.folder(tmp_path, rest)))


def test_the_official_fold_marks_its_test_ratings(tmp_path):
    ratings = read_source(sources.folder(tmp_path, HUNDRED, "latin-1")).ratings
    in_test = [row for row, held in zip(triples(ratings), ratings.folds["u1"], strict=True) if held]
    assert [(user, item) for user, item, _, _ in in_test] == [(1, 2), (2, 1)]


#: The name and content of a file of the fold, and the file, line and field of the refusal.
FOLDS = {
    "an unknown rating": ("u1.test", "2\t1\t1\t878887116\n2\t2\t3\t8\n", "u1.test", 2, "item"),
    "a rating in both parts": (
        *("u1.base", HUNDRED["u1.base"] + "2\t1\t1\t878887116\n"),
        *("u1.base", 3, "item"),
    ),
    "too few ratings": ("u1.base", "1\t1\t3\t881250949\n", "u1.test", None, None),
    "a rating twice": (
        *("u1.test", HUNDRED["u1.test"] + "2\t1\t1\t878887116\n"),
        *("u1.test", 3, "item"),
    ),
}


@pytest.mark.parametrize(("name", "content", "file", "line", "field"), FOLDS.values(), ids=FOLDS)
def test_a_fold_that_does_not_fit_is_refused(tmp_path, name, content, file, line, field):
    error = refusal(sources.folder(tmp_path, HUNDRED | {name: content}, "latin-1"))
    assert (error.file, error.line, error.field) == (str(tmp_path / file), line, field)
