"""The file with the ratings is found, and its format is recognised by its first line."""

import pytest

from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import refusal

GOOD = sources.PLAIN

#: The content of a file, the line and field of the refusal, and a piece of the message.
HEADERS = {
    "missing column": ("user,rating\n1,4\n", 1, "header", "column 'item' is missing"),
    "column twice": ("user,item,rating,item\n1,2,4,2\n", 1, "header", "both be the item"),
    "no header": ("1,2,4,100\n", 1, "header", "there is no header"),
    "line of Excel": ("sep=;\nuser;item;rating\n1;2;4\n", 1, None, "which only Excel reads"),
    "carriage returns": ("user,item,rating\r1,2,4\r", 1, None, "carriage returns"),
    "blank line": ("\nuser,item,rating\n1,2,4\n", 1, None, "is blank"),
    "tar": (b"ratings.csv" + b"\0" * 246 + b"ustar", None, None, "is a tar archive"),
    "web page": ("<!DOCTYPE html>", None, None, "is a web page"),
    "wrong encoding": (b"us\xe9r,item,rating\n1,2,4\n", 1, None, "byte 3 is not UTF-8"),
    "UTF-16 without its mark": (GOOD.encode("utf-16-be"), 1, None, "UTF-16 without a byte order"),
    "wrong UTF-16": (b"\xff\xfe\x00\xd8a\0", None, None, "cannot be read"),
    "header only": ("user,item,rating\n", None, None, "has a header but no ratings"),
    "header without line end": ("user,item,rating", None, None, ""),
    "empty": ("", None, None, "the file is empty"),
    "byte order mark only": ("\ufeff", None, None, ""),
    "unrelated binary": (bytes(range(256)) * 9, None, None, "is not a text file"),
    "long binary without line ends": (b"\xd0\xcf\x11" * 50_000, None, None, ""),
    "gzip cut short": (b"\x1f\x8b\x08\0\0\0", None, None, "cannot be read"),
    "7z": (b"7z\xbc\xaf\x27\x1c", None, None, "is packed with 7z"),
}


@pytest.mark.parametrize(("content", "line", "field", "words"), HEADERS.values(), ids=HEADERS)
def test_a_file_that_is_no_table_of_ratings_is_refused(tmp_path, content, line, field, words):
    path = sources.plain(tmp_path, content)
    error = refusal(path)
    assert (error.file, error.line, error.field) == (str(path), line, field)
    assert words in str(error)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (sources.MOVIELENS, "movielens-csv"),
        (sources.DAT, "movielens-dat"),
        (sources.HUNDRED, "movielens-100k"),
        ({"stars.csv": GOOD}, "csv"),
        ({"ratings.csv": sources.MOVIELENS["ratings.csv"]}, "csv"),
    ],
)
def test_the_format_is_recognised_by_content(tmp_path, files, name):
    assert read_source(sources.folder(tmp_path, files)).format == name


def test_a_folder_with_one_csv_of_another_name_is_recognised(tmp_path):
    sources.folder(tmp_path, {"notes.csv": "a,b\n1,2\n"})
    sources.plain(tmp_path)
    assert read_source(tmp_path).ratings.n_ratings == 3


def test_a_folder_without_ratings_is_refused(tmp_path):
    error = refusal(sources.folder(tmp_path, {"notes.txt": "hello"}))
    assert error.file == tmp_path
    assert "contains no ratings. Name a folder" in str(error)


def test_a_folder_with_several_files_of_ratings_is_refused(tmp_path):
    error = refusal(sources.folder(tmp_path, {"a.csv": GOOD, "b.csv": GOOD}))
    assert error.file == tmp_path
    assert f"{tmp_path / 'a.csv'}, {tmp_path / 'b.csv'}" in str(error)
