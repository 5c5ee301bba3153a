"""Files of items: titles, years, genres and links; a faulty line is refused at its field."""

import pytest

from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import refusal

MOVIES, LINKS = sources.MOVIELENS["movies.csv"], sources.MOVIELENS["links.csv"]
ITEMS = sources.HUNDRED["u.item"]

#: The name and content of a file, the line and field of the refusal, a piece of the message.
MOVIELENS = {
    "item twice": (
        *("movies.csv", MOVIES + "10,Toy Story (1995),Comedy\n"),
        *(6, "movieId", "movie 10 is already on an earlier line"),
    ),
    "no title": ("movies.csv", MOVIES + "50,,Comedy\n", 6, "title", "'' is not a title"),
    "long title": ("movies.csv", MOVIES + f"50,{'x' * 501},Comedy\n", 6, "title", "xxx"),
    "no id": ("movies.csv", MOVIES + ",Heat (1995),Crime\n", 6, "movieId", "'' is not an id"),
    "too few fields": ("movies.csv", MOVIES + "50,Heat (1995)\n", 6, None, "2 fields instead of 3"),
    "title over two lines": ("movies.csv", MOVIES + '50,"Heat\n(1995)",Crime\n', 6, None, "quote"),
    "NUL": ("movies.csv", MOVIES + "50,He\0at (1995),Crime\n", 6, None, r"\x00"),
    "control character": ("movies.csv", MOVIES + "50,He\x0bat,Crime\n", 6, None, r"\x0b"),
    "other encoding": ("movies.csv", MOVIES.encode("latin-1"), 4, None, "byte 36 is not UTF-8"),
    "long line": ("movies.csv", MOVIES + f"50,{'x' * 70_000},C\n", 6, None, "65,536 bytes"),
    "no items": ("movies.csv", "movieId,title,genres\n", None, None, "contains no movies"),
    "empty": ("movies.csv", "", None, None, "the file is empty"),
    "no titles": ("movies.csv", "movieId,genres\n10,Comedy\n", 1, "header", "'title' is missing"),
    "other links": ("links.csv", "movie,other\n", 1, "header", "movieId,imdbId,tmdbId"),
    "two ids": (
        *("movies.csv", "item_id,isbn,title\n1,0001,Emma\n"),
        *(1, "header", "'item_id' and 'isbn' could both be the item"),
    ),
}


@pytest.mark.parametrize(
    ("name", "content", "line", "field", "words"), MOVIELENS.values(), ids=MOVIELENS
)
def test_a_faulty_item_is_refused_at_its_line(tmp_path, name, content, line, field, words):
    error = refusal(sources.folder(tmp_path, sources.MOVIELENS | {name: content}))
    assert (error.file, error.line, error.field) == (str(tmp_path / name), line, field)
    assert words in str(error)


@pytest.mark.parametrize(
    ("files", "line", "field"),
    [
        (sources.DAT | {"movies.dat": "10::Toy Story (1995)\n"}, 1, None),
        (sources.HUNDRED | {"u.item": "9|Heat|||" + "|2" * 19 + "\n" + ITEMS}, 1, "genre"),
        (sources.HUNDRED | {"u.item": ITEMS[:150]}, 3, None),
    ],
    ids=["movies.dat with a short line", "u.item with another flag", "u.item cut short"],
)
def test_a_faulty_item_of_an_older_format_is_refused_at_its_line(tmp_path, files, line, field):
    error = refusal(sources.folder(tmp_path, files, "latin-1"))
    assert (error.line, error.field) == (line, field)


@pytest.mark.parametrize("year", ["next", "2101", "20000", "95.5", "-20000"])
def test_a_year_of_its_own_column_must_be_one(tmp_path, year):
    sources.folder(tmp_path, {"movies.csv": f"item,title,year\n2,Alien,1979\n3,M,{year}\n"})
    error = refusal(sources.plain(tmp_path))
    assert (error.line, error.field) == (3, "year")


def test_titles_are_in_their_usual_word_order(tmp_path):
    items = read_source(sources.folder(tmp_path, sources.MOVIELENS)).items
    titles = [(item.title, item.year) for item in items]
    assert titles[1] == ("The Matrix", 1999)
    assert titles[2] == ("The City of Lost Children (La Cité des enfants perdus)", 1995)


def test_an_item_without_ratings_is_listed_but_has_no_column(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.MOVIELENS))
    assert source.ratings.item_ids.tolist() == [10, 20, 30]
    assert (source.items[3].external_id, source.items[3].genres) == ("40", [])


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_movies_dat_is_read_in_both_encodings(tmp_path, encoding):
    source = read_source(sources.folder(tmp_path, sources.DAT, encoding))
    assert source.items[1].title == "Amélie"


def test_flags_of_ml_100k_are_genres(tmp_path):
    items = read_source(sources.folder(tmp_path, sources.HUNDRED, "latin-1")).items
    assert items[0].genres == ["Animation", "Children's", "Comedy"]
    assert items[1].title == "Les Misérables"
    assert items[2].year is None


def test_a_plain_csv_takes_titles_from_the_movies_in_its_folder(tmp_path):
    movies = "item,title,year,genres\n2,Alien,1979,Horror|Science Fiction\n3,M,,\n"
    sources.folder(tmp_path, {"movies.csv": movies})
    second, third = read_source(sources.plain(tmp_path)).items
    assert (second.title, second.year) == ("Alien", 1979)
    assert second.genres == ["Horror", "Science Fiction"]
    assert (third.title, third.year, third.genres) == ("M", None, [])


def test_text_ids_are_kept_letter_by_letter(tmp_path):
    sources.folder(tmp_path, {"movies.csv": "item,title\n007,Dr. No\n7,Se7en\nx,M\n"})
    source = read_source(sources.plain(tmp_path, "user,item,rating\n1,007,4\n1,7,3\n1,x,5\n"))
    assert source.ratings.item_ids.tolist() == ["007", "7", "x"]
    assert [item.external_id for item in source.items] == ["007", "7", "x"]


@pytest.mark.parametrize(
    ("year", "expected"),
    [("1813", 1813), ("1995.0", 1995), ("1995-10-30", 1995), ("0", None), ("-2000", -2000)],
)
def test_a_year_may_be_written_in_several_ways(tmp_path, year, expected):
    sources.folder(tmp_path, {"movies.csv": f"item,title,year\n2,Alien,{year}\n3,M,\n"})
    assert read_source(sources.plain(tmp_path)).items[0].year == expected


def test_all_faulty_items_are_reported_with_the_faulty_ratings(tmp_path):
    ratings = sources.MOVIELENS["ratings.csv"] + "9,10,bad,5\n"
    movies = MOVIES + "".join(f"{number},,Comedy\n" for number in range(100, 130))
    files = sources.MOVIELENS | {"ratings.csv": ratings, "movies.csv": movies}
    error = refusal(sources.folder(tmp_path, files))
    assert (error.count, len(error.first)) == (31, 20)
    assert str(error).startswith(f"{tmp_path} has 31 problems, the first 20; nothing was imported.")
    assert (error.line, error.field, error.first[1].line) == (6, "rating", 6)


def test_an_overview_over_several_lines_is_left_out(tmp_path):
    movies = 'item,title,overview\n2,Alien,"In space\n\nno one"\n3,M,\n'
    sources.folder(tmp_path, {"movies.csv": movies})
    source = read_source(sources.plain(tmp_path))
    assert [(item.external_id, item.title) for item in source.items] == [("2", "Alien"), ("3", "M")]
