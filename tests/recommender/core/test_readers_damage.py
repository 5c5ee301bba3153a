"""Damaged sources: each is refused whole, at its file, line and field, with a remedy."""

import re
from pathlib import Path

import pytest

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers import members, read_source
from tests.recommender.core import sources

HEADER = "user,item,rating,timestamp\n"
GOOD = HEADER + "1,2,4,100\n1,3,5,200\n"

PLAIN = {
    "missing column": ("user,rating\n1,4\n", r":1: header: column 'item' is missing"),
    "unknown column": ("user,item,rating,mood\n1,2,4,5\n", r":1: header: column 'mood' is unknown"),
    "column twice": ("user,item,rating,item\n1,2,4,2\n", r":1: header: column 'item' is there tw"),
    "no header": ("1,2,4,100\n", r":1: header: column 'user' is missing"),
    "non-number": (GOOD + "2,2,good,300\n", r":4: rating: 'good' is not a number"),
    "decimal comma": (GOOD + '2,2,"3,5",300\n', r":4: rating: '3,5' is not a number"),
    "underscore": (GOOD + "2,2,1_0,300\n", r":4: rating: '1_0' is not a number"),
    "empty rating": (GOOD + "2,2,,300\n", r":4: rating: is empty"),
    "NaN": (GOOD + "2,2,NaN,300\n", r":4: rating: 'NaN' is not a number"),
    "infinity": (GOOD + "2,2,inf,300\n", r":4: rating: 'inf' is not a number"),
    "infinity by size": (GOOD + "2,2,1e999,300\n", r":4: rating: 1e999 is off the scale"),
    "off every scale": (GOOD + "2,2,11,300\n", r":4: rating: 11 is off the scale 1:5:1 or"),
    "between the steps": (GOOD + "2,2,3.2,300\n", r":4: rating: 3.2 is off the scale"),
    "zero": (GOOD + "2,2,0,300\n", r":4: rating: 0 is off the scale"),
    "negative": (GOOD + "2,2,-3,300\n", r":4: rating: -3 is off the scale"),
    "duplicate pair": (
        GOOD + "2,2,3,300\n1,2,5,400\n",
        r":5: item: user 1 rated movie 2 already on line 2",
    ),
    "duplicate pair after blank lines": (
        HEADER + "\n1,2,4,100\n\n\n1,3,4,100\n\n1,2,5,100\n",
        r":8: item: user 1 rated movie 2 already on line 3",
    ),
    "too few fields": (GOOD + "2,2,4\n", r":4: 3 fields instead of 4"),
    "too many fields": (GOOD + "2,2,4,300,9\n", r":4: 5 fields instead of 4"),
    "fields that make up for each other": (
        HEADER + "1,2,4\n1,3,5,200,9\n",
        r":2: 3 fields instead of 4",
    ),
    "empty id": (GOOD + ",2,4,300\n", r":4: user: '' is no id"),
    "long id": (GOOD + "x" * 101 + ",2,4,300\n", r":4: user: 'x+' is no id: 1 to 100"),
    "control character": (GOOD + "a\x07b,2,4,300\n", r":4: the control character '\\x07'"),
    "NUL byte": (GOOD + "2,2,4\0,300\n", r":4: a NUL byte"),
    "quoted line end": (GOOD + '2,"2\n",4,300\n', r":4: quotes that do not close on their line"),
    "open quote": (GOOD + '2,"2,4,300\n', r":4: quotes that do not close on their line"),
    "lone carriage return": (
        HEADER + "1,2,4,100\r1,3,5,200\n",
        r":2: the control character '\\r'",
    ),
    "tab within an id": (GOOD + "a\tb,2,4,300\n", r":4: user: 'a\\tb' is no id"),
    "wrong encoding": (GOOD.encode() + b"zo\xe9,2,4,300\n", r":4: byte 3 is not UTF-8"),
    "wrong encoding of the header": (b"us\xe9r,item,rating\n1,2,4\n", r":1: byte 3 is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), r":1: the text is encoded as UTF-16"),
    "header only": (HEADER, r": there is a header but no rating"),
    "header without line end": (HEADER.rstrip(), r": there is a header but no rating"),
    "empty": ("", r": the file is empty"),
    "byte order mark only": ("\ufeff", r": the file is empty"),
    "unrelated binary": (bytes(range(256)) * 9, r": is not a text file"),
    "long binary without line ends": (b"\xd0\xcf\x11" * 50_000, r": is not a text file"),
    "gzip": (b"\x1f\x8b\x08\0\0\0", r": is packed with gzip"),
    "negative time": (GOOD + "2,2,4,-1\n", r":4: timestamp: -1 lies before 1970"),
    "time overflow": (
        GOOD + f"2,2,4,{10**25}\n",
        r":4: timestamp: 10+ lies .* after the year 9999",
    ),
    "milliseconds": (GOOD + "2,2,4,1537799250000\n", r":4: timestamp: 1537799250000 lies"),
    "time with a fraction": (GOOD + "2,2,4,300.5\n", r":4: timestamp: '300.5' is no whole number"),
    "time as a float": (GOOD + "2,2,4,300.0\n", r":4: timestamp: '300.0' is no whole number"),
    "time as a date": (GOOD + "2,2,4,2001-01-01\n", r":4: timestamp: '2001-01-01' is no whole"),
    "empty time": (GOOD + "2,2,4,\n", r":4: timestamp: is empty"),
}


@pytest.mark.parametrize(("content", "message"), PLAIN.values(), ids=PLAIN)
def test_a_damaged_file_is_refused_at_its_line_and_field(tmp_path, content, message):
    path = sources.plain(tmp_path, content)
    with pytest.raises(SourceError) as refused:
        read_source(path)
    assert re.fullmatch(rf"{re.escape(str(path))}{message}.*\. \S.*\.", str(refused.value))


@pytest.mark.parametrize(("content", "message"), PLAIN.values(), ids=PLAIN)
def test_the_place_is_the_same_however_the_file_falls_into_blocks(
    tmp_path, monkeypatch, content, message
):
    path = sources.plain(tmp_path, content)
    with pytest.raises(SourceError) as whole:
        read_source(path)
    monkeypatch.setattr(members, "BLOCK", 24)
    with pytest.raises(SourceError, match=re.escape(str(whole.value))):
        read_source(path)


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "BLOCK", 1 << 12)
    path = sources.plain(tmp_path, GOOD + "9" * 300_000)
    with pytest.raises(SourceError, match=r":4: the line is longer than 65,536 bytes"):
        read_source(path)


def test_a_rating_off_the_given_scale_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r":3: rating: 5 is off the scale 1:4:1"):
        read_source(sources.plain(tmp_path, GOOD), scale=Scale(1, 4, 1))


RATINGS, MOVIES = sources.MOVIELENS["ratings.csv"], sources.MOVIELENS["movies.csv"]
LINKS = sources.MOVIELENS["links.csv"]
MOVIELENS = {
    "an id that is no number": (
        {"ratings.csv": RATINGS + "ada,10,4.0,5\n"},
        r"ratings.csv:6: userId: 'ada' is no whole number",
    ),
    "an id beyond 64 bits": (
        {"ratings.csv": RATINGS + f"{2**63},10,4.0,5\n"},
        r"ratings.csv:6: userId: '9223372036854775808' is no whole number",
    ),
    "a negative id": (
        {"ratings.csv": RATINGS + "-4,10,4.0,5\n"},
        r"ratings.csv:6: userId: '-4' is no whole number",
    ),
    "a rating off the scale": (
        {"ratings.csv": RATINGS + "9,10,5.5,5\n"},
        r"ratings.csv:6: rating: 5.5 is off the scale 0.5:5:0.5",
    ),
    "an unknown movie": (
        {"ratings.csv": RATINGS + "9,11,4.0,5\n"},
        r"ratings.csv:6: movieId: movie 11 is not in \S*movies.csv\. Add the movie",
    ),
    "a movie twice": (
        {"movies.csv": MOVIES + "10,Toy Story (1995),Comedy\n"},
        r"movies.csv:6: movieId: movie 10 has a line already",
    ),
    "a movie without title": (
        {"movies.csv": MOVIES + "50,,Comedy\n"},
        r"movies.csv:6: title: '' is no title",
    ),
    "a movie without id": (
        {"movies.csv": MOVIES + ",Heat (1995),Crime\n"},
        r"movies.csv:6: movieId: '' is no id",
    ),
    "a movie with too few fields": (
        {"movies.csv": MOVIES + "50,Heat (1995)\n"},
        r"movies.csv:6: 2 fields instead of 3",
    ),
    "a title over two lines": (
        {"movies.csv": MOVIES + '50,"Heat\n(1995)",Crime\n'},
        r"movies.csv:6: quotes that do not close on their line",
    ),
    "a NUL in a title": (
        {"movies.csv": MOVIES + "50,He\0at (1995),Crime\n"},
        r"movies.csv:6: a NUL byte",
    ),
    "a control character in a title": (
        {"movies.csv": MOVIES + "50,He\x0bat (1995),Crime\n"},
        r"movies.csv:6: the control character '\\x0b'",
    ),
    "movies in another encoding": (
        {"movies.csv": MOVIES.encode("latin-1")},
        r"movies.csv:4: byte \d+ is not UTF-8",
    ),
    "no movies": ({"movies.csv": "movieId,title,genres\n"}, r"movies.csv: there is no movie"),
    "an empty list of movies": ({"movies.csv": ""}, r"movies.csv:1: the file is empty"),
    "movies without titles": (
        {"movies.csv": "movieId,genres\n10,Comedy\n"},
        r"movies.csv:1: header: column 'title' is missing",
    ),
    "a link twice": (
        {"links.csv": LINKS + "10,0114709,862\n"},
        r"links.csv:6: movieId: movie 10 has a line already",
    ),
    "a link of an unknown movie": (
        {"links.csv": LINKS + "60,1,1\n"},
        r"links.csv:6: movieId: movie 60 is not in \S*movies.csv",
    ),
    "a link that is no number": (
        {"links.csv": LINKS.replace("603", "six")},
        r"links.csv:3: tmdbId: 'six' is no whole number",
    ),
    "links with another header": (
        {"links.csv": "movie,imdb\n"},
        r"links.csv:1: header: is not movieId,imdbId,tmdbId",
    ),
}


@pytest.mark.parametrize(("changes", "message"), MOVIELENS.values(), ids=MOVIELENS)
def test_a_damaged_movielens_folder_is_refused_at_its_line(tmp_path, changes, message):
    with pytest.raises(SourceError, match=message):
        read_source(sources.folder(tmp_path, sources.MOVIELENS | changes))


DATA, ITEMS = sources.HUNDRED["u.data"], sources.HUNDRED["u.item"]
OTHERS = {
    "dat without movies": ({"ratings.dat": "1::1::5::9\n"}, r"ratings.dat: movies.dat is missing"),
    "dat with a short line": (
        sources.DAT | {"ratings.dat": "1::10::5::9\n1::20::5\n"},
        r"ratings.dat:2: 3 fields instead of 4",
    ),
    "dat with single colons": (
        sources.DAT | {"ratings.dat": "1::10::5::9\n1:20:5:9\n"},
        r"ratings.dat:2: 1 fields instead of 4",
    ),
    "dat with three colons": (
        sources.DAT | {"ratings.dat": "1::10::5::9\n1:::20::5::9\n"},
        r"ratings.dat:2: movieId: ':20' is no whole number",
    ),
    "movies.dat with a short line": (
        sources.DAT | {"movies.dat": "10::Toy Story (1995)\n"},
        r"movies.dat:1: 2 fields instead of 3",
    ),
    "u.item with a flag of its own": (
        sources.HUNDRED | {"u.item": ITEMS.replace("1|Toy", "9|Heat|||" + "|2" * 19 + "\n1|Toy")},
        r"u.item:1: genre: '2' is no flag",
    ),
    "u.item cut short": (sources.HUNDRED | {"u.item": ITEMS[:150]}, r"u.item:3: \d+ fields inst"),
    "a fold with a rating of its own": (
        sources.HUNDRED | {"u1.test": "2\t1\t1\t878887116\n2\t2\t3\t891717742\n"},
        r"u1.test:2: item: the rating is not in \S*u.data",
    ),
    "a fold with a rating in both parts": (
        sources.HUNDRED | {"u1.base": sources.HUNDRED["u1.base"] + "2\t1\t1\t878887116\n"},
        r"u1.base:3: item: the rating is also in \S*u1.test",
    ),
    "a fold that lacks ratings": (
        sources.HUNDRED | {"u1.base": "1\t1\t3\t881250949\n"},
        r"u1.test: 2 ratings here and 1 in \S*u1.base are not the 4 of \S*u.data",
    ),
    "a fold with a rating twice": (
        sources.HUNDRED | {"u1.test": sources.HUNDRED["u1.test"] + "2\t1\t1\t878887116\n"},
        r"u1.test:3: item: user 2 rated movie 1 already on line 1",
    ),
    "a folder without ratings": ({"notes.txt": "hello"}, r": there are no ratings in it\. Name"),
    "several files with ratings": (
        {"a.csv": GOOD, "b.csv": GOOD},
        r": there are several files with ratings: \S*a.csv, \S*b.csv\. Name the one",
    ),
}


@pytest.mark.parametrize(("files", "message"), OTHERS.values(), ids=OTHERS)
def test_a_damaged_folder_of_another_format_is_refused(tmp_path, files, message):
    with pytest.raises(SourceError, match=message):
        read_source(sources.folder(tmp_path, files, "latin-1"))


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere: does not exist\. Name a folder"):
        read_source(tmp_path / "nowhere")


def test_a_device_is_not_read():
    with pytest.raises(SourceError, match="is not a file or folder"):
        read_source(Path("/dev/zero"))
