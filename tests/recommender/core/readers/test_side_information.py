"""Tags, keywords and people are read from tables of several forms; damage names its line."""

import gzip

import pytest

from recommender.core.errors import SourceError, SourceProblems
from recommender.core.readers.side_information import LEFT_OUT, side_files_of_movielens
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.side_files import (
    FILES,
    GENOME_TAGS,
    KEYWORDS,
    PEOPLE,
    SCORES,
    TAGS,
    read_side,
    statements,
)


@pytest.fixture
def side(tmp_path):
    return sources.folder(tmp_path / "side", FILES)


def test_tags_are_compared_without_capitals_and_keep_their_times(side):
    tags = read_side(tags=side / "tags.csv")["tags"]
    assert statements(tags.labels) == [
        (0, "funny", 1, 100),
        (0, "funny", 1, 200),
        (1, "dark, but good", 1, 300),
    ]
    assert tags.left_out == {"about items without ratings": 1, "about unknown items": 1}


def test_keywords_are_separated_by_a_bar_and_may_be_missing(side):
    keywords = read_side(keywords=side / "keywords.csv")["keywords"].labels
    assert [row[:2] for row in statements(keywords)] == [(0, "toy"), (0, "friendship"), (2, "city")]
    assert keywords.times is None


def test_people_are_collected_from_all_of_their_columns(side):
    people = read_side(people=side / "people.csv")["people"].labels
    assert [row[:2] for row in statements(people)] == [
        (0, "John Lasseter"),
        (0, "Tom Hanks"),
        (0, "Tim Allen"),
        (1, "Reeves, Keanu"),
    ]


@pytest.mark.parametrize("column", ["imdbId", "tmdbId"])
def test_items_may_be_named_by_their_ids_on_other_sites(tmp_path, column):
    ids = {"imdbId": ("tt0114709", "133093"), "tmdbId": ("862", "603.0")}[column]
    text = f"{column},keyword\n{ids[0]},toy\n{ids[1]},city\nnone,lost\n"
    keywords = read_side(keywords=sources.plain(tmp_path, text))["keywords"]
    assert [row[:2] for row in statements(keywords.labels)] == [(0, "toy"), (1, "city")]
    assert keywords.left_out == {"about unknown items": 1}


def test_tags_without_words_are_left_out_and_counted(tmp_path):
    path = sources.plain(tmp_path, f"movieId,tag\n10,\n20,{'x' * 101}\n30,fine\n")
    tags = read_side(tags=path)["tags"]
    assert statements(tags.labels) == [(2, "fine", 1, None)]
    assert tags.left_out == {LEFT_OUT: 2}


def test_tags_of_ml_10m_are_read(tmp_path):
    path = sources.folder(tmp_path, {"tags.dat": "1::10::a|b::5\n"}) / "tags.dat"
    assert statements(read_side(tags=path)["tags"].labels) == [(0, "a|b", 1, 5)]


def test_a_side_file_may_be_packed_or_lie_in_a_folder_or_zip(tmp_path, side):
    packed = sources.folder(tmp_path, {"t.csv.gz": gzip.compress(TAGS.encode())}) / "t.csv.gz"
    zipped = sources.zipped(tmp_path / "side.zip", FILES)
    alone = sources.zipped(tmp_path / "alone.zip", {"words.csv": TAGS})
    wanted = statements(read_side(tags=side / "tags.csv")["tags"].labels)
    for path in (packed, side, zipped, alone):
        assert statements(read_side(tags=path)["tags"].labels) == wanted, path


def test_a_folder_without_the_file_is_refused(tmp_path):
    sources.folder(tmp_path, {"a.csv": "x\n", "b.csv": "x\n"})
    with pytest.raises(SourceError, match=r"no file tags.csv.* --tags FILE"):
        read_side(tags=tmp_path)


def test_the_tags_of_a_genome_are_looked_for_next_to_its_scores(tmp_path, side):
    zipped = sources.zipped(tmp_path / "side.zip", FILES)
    for path in (side / "genome-scores.csv", side, zipped):
        assert list(read_side(genome_scores=path)) == ["genome"]


def test_half_a_genome_is_refused(side):
    (side / "genome-tags.csv").unlink()
    with pytest.raises(SourceError, match=r"genome-tags.csv: does not exist"):
        read_side(genome_scores=side / "genome-scores.csv")
    with pytest.raises(SourceError, match="--genome-scores FILE"):
        read_side(genome_tags=side / "people.csv")


def test_a_lone_list_of_genome_tags_in_a_folder_is_not_used():
    assert side_files_of_movielens({"genome-tags.csv": None, "tags.csv": None}) == {"tags": None}


def test_the_problems_of_all_side_files_are_told_at_once(side):
    (side / "tags.csv").write_text("movieId,tag\n10\n")
    (side / "people.csv").write_text("movieId,actors\n,x\n")
    with pytest.raises(SourceProblems) as refused:
        read_side(tags=side, people=side)
    assert refused.value.count == 2


DAMAGE = [
    # role, text, line, field, part of the message
    ("tags", TAGS + "4,10\n", 7, None, "2 fields instead of 4"),
    ("tags", TAGS + "4,,word,5\n", 7, "movieId", "Write the id"),
    ("tags", TAGS + "4,10,word,soon\n", 7, "timestamp", "'soon' is not a time"),
    ("tags", TAGS + "4,10,word,-1\n", 7, "timestamp", "before 1970"),
    ("tags", TAGS + '4,10,"word,5\n', 7, None, "a quote is not closed"),
    ("tags", TAGS.encode() + b"4,10,\xff,5\n", 7, None, "Save the file as UTF-8"),
    ("tags", "userId,movieId,word\n1,10,x\n", 1, "header", "column 'tag' is missing"),
    ("tags", "", None, None, "the file is empty"),
    ("tags", b"PK\x03\x04", None, None, "truncated or damaged"),
    ("tags", gzip.compress(TAGS.encode(), mtime=0)[:-9], None, None, "Download the file again"),
    ("keywords", KEYWORDS + "40,1\n", 5, None, "2 fields instead of 3"),
    ("keywords", "movieId,words\n10,x\n", 1, "header", "Name a column keywords"),
    ("people", PEOPLE + "40\n", 4, None, "1 fields instead of 5"),
    ("people", "movieId,title\n10,Toy Story\n", 1, "header", "Name a column people"),
    ("genome-tags", GENOME_TAGS + "2,again\n", 4, "tagId", "Keep one"),
    ("genome-tags", GENOME_TAGS + "3,\n", 4, "tag", "Correct it"),
    ("genome-tags", GENOME_TAGS + "3\n", 4, None, "1 fields instead of 2"),
    ("genome-tags", "tag\nnoir\n", 1, "header", "Name a column tagId"),
    ("genome-scores", SCORES + "10,3,0.5\n", 7, "tagId", "'3' is not among the tags"),
    ("genome-scores", SCORES + "10,1,1.5\n", 7, "relevance", "not a number from 0 to 1"),
    ("genome-scores", SCORES + "10,1,high\n", 7, "relevance", "not a number from 0 to 1"),
    ("genome-scores", SCORES + "10,1\n", 7, None, "2 fields instead of 3"),
    ("genome-scores", SCORES + ",1,0.5\n", 7, "movieId", "Write the id"),
    ("genome-scores", "movieId,tagId\n10,1\n", 1, "header", "Name a column relevance"),
]


@pytest.mark.parametrize(("role", "text", "line", "field", "words"), DAMAGE)
def test_a_damaged_side_file_is_refused_with_line_field_and_remedy(
    side, role, text, line, field, words
):
    name = f"{role}.csv"
    (side / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    given = {role.replace("-", "_"): side / name}
    if role == "genome-tags":
        given["genome_scores"] = side / "genome-scores.csv"
    with pytest.raises(SourceError) as refused:
        read_side(**given)
    assert words in str(refused.value)
    assert str(refused.value.file).endswith(name)
    assert (refused.value.line, refused.value.field) == (line, field)
