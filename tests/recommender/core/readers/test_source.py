"""Sources that are sound: every format, every container, what is taken from each."""

import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import triples


def test_movielens_csv_is_read_with_titles_years_genres_and_links(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.MOVIELENS))
    assert source.format == "movielens-csv"
    assert source.ratings.scale == Scale(0.5, 5, 0.5)
    assert triples(source.ratings)[1] == (1, 20, 0.5, 964981247)
    first = source.items[0]
    assert (first.external_id, first.title, first.year) == ("10", "Toy Story", 1995)
    assert first.genres == ["Adventure", "Comedy"]
    assert first.external_ids == {"imdb": "tt0114709", "tmdb": "862"}


def test_the_licence_note_names_its_file_and_quotes_the_section_on_terms(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.MOVIELENS))
    assert source.licence_note == "README.txt: The data may be used for tests."


def test_a_zip_and_a_folder_of_it_have_one_checksum(tmp_path):
    from_folder = read_source(sources.folder(tmp_path / "a", sources.MOVIELENS))
    inside = {f"ml-tiny/{name}": text for name, text in sources.MOVIELENS.items()}
    from_zip = read_source(sources.zipped(tmp_path / "b.zip", inside))
    assert from_zip.checksum == from_folder.checksum
    assert triples(from_zip.ratings) == triples(from_folder.ratings)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("ratings.csv", "2,10,5.0", "2,10,4.5"),
        ("movies.csv", "Toy", "Tin"),
        ("links.csv", "862", "863"),
    ],
)
def test_the_checksum_depends_on_every_file_that_was_read(tmp_path, name, old, new):
    before = read_source(sources.folder(tmp_path, sources.MOVIELENS)).checksum
    changed = sources.MOVIELENS[name].replace(old, new)
    sources.folder(tmp_path, {name: changed})
    assert read_source(tmp_path).checksum != before


def test_the_readme_is_no_part_of_the_checksum(tmp_path):
    before = read_source(sources.folder(tmp_path, sources.MOVIELENS)).checksum
    (tmp_path / "README.txt").write_text("Other words.")
    assert read_source(tmp_path).checksum == before


def test_naming_u_data_finds_the_files_beside_it(tmp_path):
    sources.folder(tmp_path, sources.HUNDRED, "latin-1")
    assert read_source(tmp_path / "u.data").checksum == read_source(tmp_path).checksum


def test_plain_csv_needs_nothing_but_itself(tmp_path):
    source = read_source(sources.plain(tmp_path))
    assert source.format == "csv"
    assert triples(source.ratings) == [(1, 2, 4.0, 100), (1, 3, 5.0, 200), (2, 2, 1.0, 300)]
    assert [item.title for item in source.items] == ["Movie 2", "Movie 3"]
    assert source.licence_note == ""


def test_plain_csv_without_time_stamps_has_none(tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\n1,2,4\n")
    assert read_source(path).ratings.timestamps is None


def test_columns_may_be_in_any_order(tmp_path):
    path = sources.plain(tmp_path, "rating,timestamp,movie_id,userId\n4,100,2,1\n")
    assert triples(read_source(path).ratings) == [(1, 2, 4.0, 100)]


def test_text_ids_sort_as_text(tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\nzoé,b,4\nada,a,3\n7,b,1\n")
    ratings = read_source(path).ratings
    assert ratings.user_ids.tolist() == ["7", "ada", "zoé"]
    assert [row[:3] for row in triples(ratings)] == [
        ("7", "b", 1),
        ("ada", "a", 3),
        ("zoé", "b", 4),
    ]


def test_whole_number_ids_sort_by_value(tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\n10,9,4\n9,10,3\n9,9000000000,2\n")
    ratings = read_source(path).ratings
    assert ratings.user_ids.tolist() == [9, 10]
    assert ratings.item_ids.tolist() == [9, 10, 9_000_000_000]


@pytest.mark.parametrize(
    ("stars", "scale"),
    [
        ("1 3 5", Scale(1, 5, 1)),
        ("1 3.5 5", Scale(0.5, 5, 0.5)),
        ("1 7 3", Scale(1, 10, 1)),
        ("0.5 7 3.5", Scale(0.5, 10, 0.5)),
    ],
)
def test_the_scale_of_a_plain_csv_is_the_first_usual_one_that_fits(tmp_path, stars, scale):
    lines = "".join(f"{user},1,{value}\n" for user, value in enumerate(stars.split()))
    path = sources.plain(tmp_path, f"user,item,rating\n{lines}")
    assert read_source(path).ratings.scale == scale


def test_a_given_scale_overrides(tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\n1,2,88\n1,3,100\n")
    ratings = read_source(path, scale=Scale(1, 100, 1)).ratings
    assert ratings.scale == Scale(1, 100, 1)
    assert ratings.values.tolist() == [88, 100]


@pytest.mark.parametrize(
    "content",
    [
        sources.PLAIN.replace("\n", "\r\n"),
        "\ufeff" + sources.PLAIN,
        sources.PLAIN.rstrip("\n"),
        sources.PLAIN.replace(",", ", "),
        sources.PLAIN.replace("1,2,4,100", '"1","2","4","100"'),
        sources.PLAIN.replace("\n1,3", "\n\n  \n1,3") + "\n\n",
        sources.PLAIN.replace("1,2,4,100", "1,2,+4.0,100.0").replace("2,2,1,", "2,2,1e0,"),
    ],
    ids=["crlf", "byte order mark", "no last line end", "spaces", "quotes", "blank lines", "signs"],
)
def test_harmless_differences_change_nothing(tmp_path, content):
    expected = triples(read_source(sources.plain(tmp_path / "a")).ratings)
    assert triples(read_source(sources.plain(tmp_path / "b", content)).ratings) == expected
