"""Tables as people have them, after public bug reports of other tools; named by their case."""

from pathlib import Path

import numpy as np
import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.names import parse_columns
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import assert_paths_agree, reading, refusal, triples

PLAIN = "user,item,rating\n1,2,4\n1,3,5\n2,2,1\n"
TRIPLES = [(1, 2, 4.0, 0), (1, 3, 5.0, 0), (2, 2, 1.0, 0)]


def table(where: Path, content: str | bytes, name: str = "table.csv") -> Path:
    return sources.folder(where, {name: content}) / name


def read(where: Path, content: str | bytes, **options):
    return read_source(table(where, content), **options)


def test_d2_columns_that_are_not_needed_are_left_out_and_named(tmp_path):
    lines = (
        'user_id,item_id,rating,verified,comment\n1,2,4,True,"nice, really"\n1,3,5,,\n2,2,1,no,\n'
    )
    source = read(tmp_path, lines)
    assert triples(source.ratings) == TRIPLES
    assert source.reading["left out"] == "verified, comment"


def test_d2_a_column_without_a_name_is_left_out(tmp_path):
    source = read(tmp_path, ",user_id,item_id,rating\n0,1,2,4\n1,1,3,5\n2,2,2,1\n")
    assert triples(source.ratings) == TRIPLES
    assert source.reading["left out"] == "(no name)"


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("block", [24, 1 << 20])
def test_d2_a_review_over_several_lines_is_left_out(tmp_path, fast, block):
    lines = (
        'user,item,rating,text\n1,2,4,"first\n1,9,5,no\n\nsaid ""yes"""\n1,3,5,5" disk\n2,2,1,"x"\n'
    )
    path = table(tmp_path, lines)
    with reading(block=block, fast=fast):
        assert triples(read_source(path).ratings) == TRIPLES
        (tmp_path / "table.csv").write_text(lines + '3,3,bad,x\n1,2,3,"y\nz"\n')
        error = refusal(path)
    assert (error.line, error.field) == (8, "rating")


def test_d2_a_quote_that_is_never_closed_is_named(tmp_path):
    error = refusal(table(tmp_path, 'user,item,rating,text\n1,2,4,x\n1,3,5,"x\n2,2,1,y\n'))
    assert error.line == 3
    assert "a quote is not closed up to the end of the file" in str(error)


def test_d2_a_surplus_column_of_numbers_stays_on_the_fast_path(tmp_path):
    path = table(tmp_path, "weight,user,item,rating,rank\n0.5,1,2,4,7\n7,1,3,5,7.25\n1,2,2,1,1\n")
    assert not isinstance(assert_paths_agree(path), str)
    assert triples(read_source(path).ratings) == TRIPLES


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("user,item_id,isbn,rating", "'item_id' and 'isbn' could both be the item"),
        ("user,item,rating,score", "'rating' and 'score' could both be the rating"),
        ("user,item,rating,date,time", "'date' and 'time' could both be the timestamp"),
        ("person,item,rating", "column 'user' is missing among person, item, rating"),
    ],
)
def test_d2_ambiguous_columns_are_asked_for_and_never_guessed(tmp_path, header, words):
    error = refusal(table(tmp_path, f"{header}\n1,2,3,4,5\n"))
    assert (error.line, error.field) == (1, "header")
    assert words in str(error)
    assert "--columns" in str(error)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"item": "title"}, "there is no column 'title' among user, item, rating"),
        ({"timestamp": "when"}, "there is no column 'when'"),
        ({"item": "9"}, "there is no column '9'"),
        ({"item": "user"}, "column 'user' has two meanings"),
    ],
)
def test_d2_given_columns_that_cannot_be_right_are_refused(tmp_path, columns, words):
    assert words in str(refusal(table(tmp_path, PLAIN), columns=columns))


def test_d2_times_that_cannot_be_read_can_be_left_out(tmp_path):
    lines = "user,item,rating,date\n1,2,4,03/09/2016\n1,3,5,04/09/2016\n2,2,1,x\n"
    assert "--columns timestamp=." in str(refusal(table(tmp_path, lines)))
    source = read(tmp_path, lines, columns=parse_columns("timestamp="))
    assert source.ratings.timestamps is None
    assert source.reading["left out"] == "date"


def test_d2_a_choice_between_two_columns_is_made_by_the_user(tmp_path):
    lines = "user,item_id,isbn,rating\n1,2,0002,4\n"
    ratings = read(tmp_path, lines, columns={"item": "isbn"}).ratings
    assert ratings.item_ids.tolist() == ["0002"]


def test_d2_a_table_without_a_header_is_read_by_numbers(tmp_path):
    source = read(
        tmp_path, "2,1,4\n3,1,5\n2,2,1\n", columns={"user": "2", "item": "1", "rating": "3"}
    )
    assert triples(source.ratings) == TRIPLES
    assert source.reading["columns"] == "user = column 2, item = column 1, rating = column 3"


@pytest.mark.parametrize("line", ["{};{};{}", '"{}","{}","{}"', "{}\t{}\t{}"])
def test_d3_decimal_commas_are_read(tmp_path, line):
    rows = [("user", "item", "rating"), ("1", "2", "3,5"), ("1", "3", "5"), ("2", "2", "0,5")]
    source = read(tmp_path, "\ufeff" + "\n".join(line.format(*row) for row in rows))
    assert source.ratings.values.tolist() == [3.5, 5, 0.5]
    assert source.reading["decimals"] == "ratings are written with a decimal comma"


ATOMIC = {
    "ml-x.inter": (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t4\t964982703.0\n"
    ),
    "ml-x.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "2\tToy Story\t1995\tAnimation Comedy\n"
    ),
    "ml-x.user": "user_id:token\tage:token\n1\t24\n",
}


@pytest.mark.parametrize("named", ["", "ml-x.inter"])
def test_d4_atomic_files_of_recbole_are_read_with_their_items(tmp_path, named):
    source = read_source(sources.folder(tmp_path / "ml-x", ATOMIC) / named)
    assert (source.format, triples(source.ratings)) == ("recbole", [(1, 2, 4.0, 964982703)])
    item = source.items[0]
    assert (item.title, item.year, item.genres) == ("Toy Story", 1995, ["Animation", "Comedy"])


def test_d4_the_only_table_of_a_folder_is_refused_with_what_it_lacks(tmp_path):
    lines = "user_id:token\titem_id:token\ttimestamp:float\n1\t2\t3\n"
    sources.folder(tmp_path, {"x.inter": lines, "x.user": "user_id:token\n1\n"})
    error = refusal(tmp_path)
    assert error.file == str(tmp_path / "x.inter")
    assert "column 'rating' is missing" in str(error)


RERATED = "user,item,rating,timestamp\n1,2,4,300\n1,2,1,100\n1,2,5,200\n2,2,3,5\n"


def test_d5_all_repeated_pairs_are_counted_and_the_first_are_named(tmp_path):
    repeated = "".join(f"{user},7,3,1\n" * 2 for user in range(30))
    error = refusal(table(tmp_path, f"user,item,rating,timestamp\n{repeated}"))
    assert (error.count, len(error.first), error.line, error.field) == (30, 20, 3, "item")
    assert "--keep first, last or mean" in str(error)


@pytest.mark.parametrize(
    ("keep", "rating", "time"), [("first", 1.0, 100), ("last", 4.0, 300), ("mean", 3.0, 300)]
)
def test_d5_the_rating_that_counts_is_decided_by_time(tmp_path, keep, rating, time):
    source = read(tmp_path, RERATED, keep=keep)
    assert triples(source.ratings) == [(1, 2, rating, time), (2, 2, 3.0, 5)]
    assert source.reading["repeated"] == f"ratings of pairs rated before: 2; the {keep} counts"


@pytest.mark.parametrize(("keep", "rating"), [("first", 4.0), ("last", 5.0), ("mean", 5.0)])
def test_d5_without_times_the_rating_that_counts_is_decided_by_line(tmp_path, keep, rating):
    source = read(tmp_path, "user,item,rating\n2,2,3\n1,2,4\n1,2,5\n", keep=keep)
    assert triples(source.ratings) == [(1, 2, rating, 0), (2, 2, 3.0, 0)]


def test_d5_a_decision_on_pairs_that_do_not_repeat_is_none(tmp_path):
    assert "repeated" not in read(tmp_path, PLAIN, keep="last").reading


ZEROS = "user,item,rating\n1,2,8\n1,3,0\n2,2,10\n3,3,0\n"


def test_d6_the_meaning_of_zeros_is_asked_and_both_remedies_work(tmp_path):
    error = refusal(table(tmp_path, ZEROS))
    assert "2 ratings are 0. If that means not rated, leave them out: --drop-zeros." in str(error)
    assert "give the scale, such as --scale 0:10:1." in str(error)
    dropped = read(tmp_path, ZEROS, drop=["0"])
    assert triples(dropped.ratings) == [(1, 2, 8.0, 0), (2, 2, 10.0, 0)]
    assert dropped.reading["dropped"] == "ratings of 0: 2"
    kept = read(tmp_path, ZEROS, scale=Scale(0, 10, 1))
    assert kept.ratings.values.tolist() == [8, 0, 10, 0]


@pytest.mark.parametrize(
    ("value", "option"),
    [("-1", "--drop=-1"), ("99", "--drop=99"), ("NA", "--drop 'NA'"), ("", "''")],
)
def test_d6_other_values_may_mean_not_rated_too(tmp_path, value, option):
    path = table(tmp_path, f"user,item,rating\n1,2,8\n1,3,{value}\n2,2,10\n3,3,{value}\n")
    assert option in str(refusal(path))
    source = read_source(path, drop=[value])
    assert triples(source.ratings) == [(1, 2, 8.0, 0), (2, 2, 10.0, 0)]
    assert source.reading["dropped"] == f"ratings of {value or '(empty)'}: 2"


def test_d6_zeros_are_dropped_on_both_paths(tmp_path):
    path = table(tmp_path, ZEROS + "".join(f"{user},9,7\n" for user in range(10, 40)))
    assert not isinstance(assert_paths_agree(path, drop=["0"]), str)


def test_d6_book_crossing_is_read(tmp_path):
    lines = '"User-ID";"ISBN";"Book-Rating"\n"276725";"034545104X";"0"\n"276726";"0155061224";"5"\n'
    ratings = read(tmp_path, lines, drop=["0"]).ratings
    assert triples(ratings) == [(276726, "0155061224", 5.0, 0)]


def test_d6_counts_are_refused_with_what_would_work(tmp_path):
    error = refusal(table(tmp_path, "user,song,rating\n1,2,3451\n1,3,1\n2,2,207\n"))
    assert "Whole numbers up to 3,451 look like counts" in str(error)
    error = refusal(table(tmp_path, "user,song,plays\n1,2,3451\n"))
    assert "'plays' counts what users did" in str(error)
    assert "turn what users did into levels" in str(error)


def test_d7_negative_and_fine_scales_are_read_and_suggested(tmp_path):
    lines = "user,item,rating\n1,2,6.69\n1,3,-9.82\n2,2,0\n2,3,9.9\n"
    assert "--scale=-10:10:0.01" in str(refusal(table(tmp_path, lines)))
    ratings = read(tmp_path, lines, scale=Scale(-10, 10, 0.01)).ratings
    assert ratings.values.tolist() == np.float32([6.69, -9.82, 0, 9.9]).tolist()


def test_d10_ids_are_kept_letter_by_letter_whatever_other_rows_hold(tmp_path):
    ids = ["0000293003", "1.0", "+7", "1e3", "7", "080442957X", "00"]
    lines = "".join(f"{user},{item},4\n" for user, item in enumerate(ids))
    ratings = read(tmp_path, f"user,item,rating\n{lines}").ratings
    assert ratings.item_ids.tolist() == sorted(ids)
    assert ratings.user_ids.tolist() == list(range(7))


def test_d10_zeros_before_ids_are_kept_on_both_paths(tmp_path):
    lines = "".join(f"{user:04},{user % 7:010},4\n" for user in range(60))
    path = table(tmp_path, f"user,item,rating\n{lines}")
    assert not isinstance(assert_paths_agree(path), str)
    assert read_source(path).ratings.item_ids.tolist() == [f"{item:010}" for item in range(7)]


def test_d10_titles_belong_to_ids_of_the_same_letters(tmp_path):
    sources.folder(tmp_path, {"movies.csv": "item,title\n0007,Emma\n7,Persuasion\n"})
    source = read(tmp_path, "user,item,rating\n1,0007,4\n")
    assert [(item.external_id, item.title) for item in source.items] == [
        ("0007", "Emma"),
        ("7", "Persuasion"),
    ]


def test_d15_numbers_in_json_keep_their_letters(tmp_path):
    lines = (
        '{"user": 1, "item": 1.0, "rating": 4, "more": [1]}\n{"user": 2, "item": 10, "rating": 5}\n'
    )
    source = read(tmp_path, lines)
    assert source.ratings.item_ids.tolist() == ["1.0", "10"]
    assert source.reading["left out"] == "more"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"user": 1, "rating": 4}', "the key 'item' is missing"),
        ('{"user": 1, "item": null, "rating": 4}', "'' is not an id"),
    ],
)
def test_d15_a_faulty_line_of_json_is_refused_at_its_line(tmp_path, line, words):
    error = refusal(table(tmp_path, '{"user": 1, "item": 1, "rating": 4}\n' + line))
    assert error.line == 2
    assert words in str(error)


def test_d15_a_json_value_that_is_no_table_is_named(tmp_path):
    assert "not JSON lines" in str(refusal(table(tmp_path, "[1, 2]", "r.json")))


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("1262304000000", "in milliseconds"),
        ("1262304000000000", "in microseconds"),
        ("2010-01-01", "dates of ISO 8601, in UTC where they name no zone"),
        ("2010-01-01T01:00:00+01:00", "dates of ISO 8601, in UTC where they name no zone"),
        ("20100101", "dates of ISO 8601, in UTC where they name no zone"),
    ],
)
def test_times_in_other_units_are_recognised_for_the_whole_column(tmp_path, written, unit):
    path = table(tmp_path, f"user,item,rating,timestamp\n1,2,4,{written}\n1,3,5,{written}\n")
    source = read_source(path)
    assert source.ratings.timestamps.tolist() == [1262304000] * 2
    assert source.reading["times"] == unit
    assert not isinstance(assert_paths_agree(path), str)


def test_times_of_another_unit_than_the_first_are_refused(tmp_path):
    lines = "user,item,rating,date\n1,2,4,2010-01-01\n1,3,5,1262304000\n2,3,5,yesterday\n"
    error = refusal(table(tmp_path, lines))
    assert (error.count, error.line, error.field) == (2, 3, "date")


LINKS = "movieId,imdbId,tmdbId\n"


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        ("10,tt0114709,862\n", None),
        ("10,114709.0,862.0\n", None),
        ("10,0114709,862\n99,1,1\n", "1 of an unknown item"),
        ("10,0114709,862\n10,1,1\n", "1 of a repeated item"),
        (
            "10,0114709,862,9\n10,0114709,862\n20,x,\n",
            "1 of another number of fields, 1 with an id",
        ),
    ],
)
def test_d17_links_are_used_as_far_as_they_can_be(tmp_path, lines, note):
    files = sources.MOVIELENS | {"links.csv": LINKS + lines}
    source = read_source(sources.folder(tmp_path, files))
    assert source.items[0].external_ids == {"imdb": "tt0114709", "tmdb": "862"}
    assert (note or "") in source.reading.get("links", "")
    assert ("links" in source.reading) == bool(note)


def test_d17_surplus_columns_of_items_are_left_out_and_named(tmp_path):
    header = "ISBN,overview,Book-Title,Year-Of-Publication,genre\n"
    movies = header + "2,long,Emma,1815,Novel; Romance\n3,,M,,\n"
    sources.folder(tmp_path, {"books.csv": movies})
    source = read(tmp_path, PLAIN)
    first = source.items[0]
    assert (first.title, first.year, first.genres) == ("Emma", 1815, ["Novel", "Romance"])
    assert source.reading["titles"] == f"from {tmp_path / 'books.csv'}; left out: overview"


@pytest.mark.parametrize("files", [{}, {"table.csv": PLAIN}])
def test_a_table_of_ratings_beside_is_not_taken_for_the_items(tmp_path, files):
    ratings = {"anime.csv": "user_id,anime_id,rating\n1,2,4\n"}
    path = sources.folder(tmp_path, ratings | files)
    for named in [path / name for name in files] or [path, path / "anime.csv"]:
        assert "titles" not in read_source(named).reading


CROSSING = {
    "BX-Book-Ratings.csv": '"User-ID";"ISBN";"Book-Rating"\n"1";"0195153448";"5"\n',
    "BX-Books.csv": '"ISBN";"Book-Title";"Year-Of-Publication"\n"0195153448";"Emma";"0"\n',
    "BX-Users.csv": '"User-ID";"Age"\n"1";"24"\n',
}


def test_the_only_other_table_with_ids_and_titles_in_a_folder_lists_the_items(tmp_path):
    source = read_source(sources.folder(tmp_path, CROSSING))
    assert [(item.external_id, item.title) for item in source.items] == [("0195153448", "Emma")]
    assert source.reading["titles"] == f"from {tmp_path / 'BX-Books.csv'}"


def test_of_two_tables_that_may_list_the_items_none_is_taken(tmp_path):
    other = {"more.csv": CROSSING["BX-Books.csv"]}
    source = read_source(sources.folder(tmp_path, CROSSING | other))
    assert "titles" not in source.reading
