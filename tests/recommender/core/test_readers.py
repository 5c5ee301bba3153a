"""Sources that are sound: every format, every container, what is taken from each."""

import numpy as np
import pytest

from recommender.core.ratings import Scale
from recommender.core.readers import members, read_source
from tests.recommender.core import sources


def triples(ratings):
    """Every rating as (user id, movie id, stars, seconds)."""
    times = ratings.timestamps if ratings.timestamps is not None else np.zeros(ratings.n_ratings)
    return list(
        zip(
            ratings.user_ids[ratings.rows()].tolist(),
            ratings.item_ids[ratings.indices].tolist(),
            ratings.values.tolist(),
            times.tolist(),
            strict=True,
        )
    )


def test_movielens_csv_is_read_with_titles_years_genres_and_links(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.MOVIELENS))
    assert source.format == "movielens-csv"
    assert source.ratings.scale == Scale(0.5, 5, 0.5)
    assert triples(source.ratings)[1] == (1, 20, 0.5, 964981247)
    first = source.movies[0]
    assert (first.external_id, first.title, first.year) == ("10", "Toy Story", 1995)
    assert first.genres == ["Adventure", "Comedy"]
    assert first.external_ids == {"imdb": "tt0114709", "tmdb": "862"}


def test_titles_read_as_people_say_them(tmp_path):
    movies = read_source(sources.folder(tmp_path, sources.MOVIELENS)).movies
    titles = [(movie.title, movie.year) for movie in movies]
    assert titles[1] == ("The Matrix", 1999)
    assert titles[2] == ("The City of Lost Children (La Cité des enfants perdus)", 1995)


def test_a_movie_nobody_rated_is_in_the_catalogue_and_not_in_the_matrix(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.MOVIELENS))
    assert source.ratings.item_ids.tolist() == [10, 20, 30]
    assert source.movies[3].external_id == "40"
    assert source.movies[3].genres == []


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


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_dat_files_are_read_in_both_encodings(tmp_path, encoding):
    source = read_source(sources.folder(tmp_path, sources.DAT, encoding))
    assert source.format == "movielens-dat"
    assert source.movies[1].title == "Amélie"
    assert source.ratings.scale == Scale(1, 5, 1)
    assert triples(source.ratings)[0] == (1, 10, 4.0, 964982703)


def test_dat_files_with_a_half_star_have_a_scale_of_half_stars(tmp_path):
    files = sources.DAT | {"ratings.dat": sources.DAT["ratings.dat"].replace("::5::", "::4.5::")}
    assert read_source(sources.folder(tmp_path, files)).ratings.scale == Scale(0.5, 5, 0.5)


def test_ml_100k_is_read_with_flags_as_genres_and_its_official_fold(tmp_path):
    source = read_source(sources.folder(tmp_path, sources.HUNDRED, "latin-1"))
    assert source.format == "movielens-100k"
    assert source.movies[0].genres == ["Animation", "Children's", "Comedy"]
    assert source.movies[1].title == "Les Misérables"
    assert source.movies[2].year is None
    in_test = [
        row
        for row, held in zip(triples(source.ratings), source.ratings.folds["u1"], strict=True)
        if held
    ]
    assert [(user, movie) for user, movie, _, _ in in_test] == [(1, 2), (2, 1)]


def test_naming_u_data_itself_finds_what_lies_beside_it(tmp_path):
    sources.folder(tmp_path, sources.HUNDRED, "latin-1")
    assert read_source(tmp_path / "u.data").checksum == read_source(tmp_path).checksum


def test_plain_csv_needs_nothing_but_itself(tmp_path):
    source = read_source(sources.plain(tmp_path))
    assert source.format == "csv"
    assert triples(source.ratings) == [(1, 2, 4.0, 100), (1, 3, 5.0, 200), (2, 2, 1.0, 300)]
    assert [movie.title for movie in source.movies] == ["Movie 2", "Movie 3"]
    assert source.licence_note == ""


def test_plain_csv_without_time_stamps_has_none(tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\n1,2,4\n")
    assert read_source(path).ratings.timestamps is None


def test_plain_csv_takes_titles_from_the_movies_beside_it(tmp_path):
    movies = "item,title,year,genres\n2,Alien,1979,Horror|Science Fiction\n3,M,,\n"
    sources.folder(tmp_path, {"movies.csv": movies})
    second, third = read_source(sources.plain(tmp_path)).movies
    assert (second.title, second.year) == ("Alien", 1979)
    assert second.genres == ["Horror", "Science Fiction"]
    assert (third.title, third.year, third.genres) == ("M", None, [])


def test_columns_may_stand_in_any_order(tmp_path):
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


def test_a_text_id_after_many_numbers_makes_the_whole_column_text(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "BLOCK", 32)
    lines = "".join(f"{user},2,4\n" for user in range(1, 30))
    ratings = read_source(sources.plain(tmp_path, f"user,item,rating\n{lines}ada,2,5\n")).ratings
    assert ratings.user_ids.tolist() == sorted([*map(str, range(1, 30)), "ada"])
    assert ratings.item_ids.tolist() == [2]


def test_ids_that_are_text_are_kept_letter_by_letter(tmp_path):
    sources.folder(tmp_path, {"movies.csv": "item,title\n007,Dr. No\n7,Se7en\nx,M\n"})
    path = sources.plain(tmp_path, "user,item,rating\n1,007,4\n1,7,3\n1,x,5\n")
    source = read_source(path)
    assert source.ratings.item_ids.tolist() == ["007", "7", "x"]
    assert [movie.external_id for movie in source.movies] == ["007", "7", "x"]


def test_ids_that_are_numbers_are_the_same_however_they_are_written(tmp_path):
    sources.folder(tmp_path, {"movies.csv": "item,title\n007,Dr. No\n"})
    source = read_source(sources.plain(tmp_path, "user,item,rating\n1,7,4\n2,07,3\n"))
    assert source.ratings.item_ids.tolist() == [7]
    assert source.movies[0].external_id == "7"


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
        sources.PLAIN.replace("1,2,4,100", "1,2,4.0,100").replace("2,2,1,", "+2,02,1e0,"),
    ],
    ids=["crlf", "byte order mark", "no last line end", "spaces", "quotes", "blank lines", "signs"],
)
def test_harmless_differences_change_nothing(tmp_path, content):
    expected = triples(read_source(sources.plain(tmp_path / "a")).ratings)
    assert triples(read_source(sources.plain(tmp_path / "b", content)).ratings) == expected


def test_a_folder_with_one_csv_of_another_name_is_recognised(tmp_path):
    sources.folder(tmp_path, {"notes.csv": "a,b\n1,2\n"})
    sources.plain(tmp_path)
    assert read_source(tmp_path).ratings.n_ratings == 3


def test_progress_ends_with_all_bytes(tmp_path):
    path = sources.plain(tmp_path)
    seen = []
    read_source(path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
