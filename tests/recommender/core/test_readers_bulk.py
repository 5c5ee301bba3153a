"""Large files, parsed by compiled code: the same ratings and the same refusals as small ones."""

import tempfile
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers import assembly, bulk, columns, members, movielens, read_source
from recommender.core.readers.columns import Layout, Scales
from recommender.core.readers.members import Member
from recommender.core.readers.table import _Reading
from tests.recommender.core import sources
from tests.recommender.core.test_readers_damage import GOOD, HEADER, MOVIELENS, OTHERS, PLAIN
from tests.recommender.core.test_readers_properties import FORMATS, mutations, scraps

COLUMNS = ("user", "item", "rating", "timestamp")
NUMBERS = Layout(",", COLUMNS, 0, 1, 2, 3)
SHUFFLED = Layout(",", ("timestamp", "rating", "item", "user"), 3, 2, 1, 0)
UNTIMED = Layout("::", COLUMNS[:3], 0, 1, 2, None)
LINES = "1,10,4.0,964982703\n1,20,0.5,964981247\n2,10,5.0,964982224\r\n7,30,3,964983815\n"


@contextmanager
def in_blocks(size, *, large):
    """Every file is read in blocks of so many bytes, and as a large one is, or a small one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "BLOCK", size)
        patch.setattr(bulk, "LARGE", 0 if large else 1 << 60)
        patch.setattr(assembly, "MANY", 0 if large else 1 << 60)
        yield


def outcome(path, scale=None):
    """All that was read, comparable, or the message of the refusal."""
    try:
        source = read_source(path, scale=scale)
    except SourceError as error:
        return str(error)
    found = {field.name: getattr(source.ratings, field.name) for field in fields(source.ratings)}
    found["folds"] = {name: mask.tolist() for name, mask in source.ratings.folds.items()}
    arrays = {name: a for name, a in found.items() if isinstance(a, np.ndarray)}
    found |= {name: (array.dtype, array.tolist()) for name, array in arrays.items()}
    return found, source.movies, source.format, source.checksum


def both_ways(path, scale=None):
    """The outcomes of careful readings, and of readings as a large file, in blocks of any size."""
    outcomes = []
    for large in (False, True):
        outcomes.append([])
        for size in (24, 64, members.BLOCK):
            with in_blocks(size, large=large):
                outcomes[-1].append(outcome(path, scale))
    return outcomes


def raw(text):
    return np.frombuffer(text.encode() if isinstance(text, str) else text, np.uint8)


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as where:
        yield Path(where)


@pytest.mark.parametrize("content", [case for case, _ in PLAIN.values()], ids=PLAIN)
def test_a_damaged_large_file_is_refused_in_the_same_words(tmp_path, content):
    careful, large = both_ways(sources.plain(tmp_path, content))
    assert isinstance(careful[0], str)
    assert large == careful


@pytest.mark.parametrize("files", [case for case, _ in MOVIELENS.values()], ids=MOVIELENS)
def test_a_damaged_large_movielens_folder_is_refused_in_the_same_words(tmp_path, files):
    careful, large = both_ways(sources.folder(tmp_path, sources.MOVIELENS | files))
    assert isinstance(careful[0], str)
    assert large == careful


@pytest.mark.parametrize("files", [case for case, _ in OTHERS.values()], ids=OTHERS)
def test_a_damaged_large_folder_of_another_format_is_refused_in_the_same_words(tmp_path, files):
    careful, large = both_ways(sources.folder(tmp_path, files, "latin-1"))
    assert isinstance(careful[0], str)
    assert large == careful


@pytest.mark.parametrize("files", [sources.MOVIELENS, sources.DAT, sources.HUNDRED])
@pytest.mark.parametrize("made", [sources.folder, sources.zipped])
def test_every_format_and_container_reads_the_same_as_a_large_one(tmp_path, made, files):
    careful, large = both_ways(made(tmp_path / "source", files))
    assert not isinstance(careful[0], str)
    assert large == careful


plain_rows = st.tuples(
    st.integers(0, 30) | st.integers(0, 10**10),
    st.integers(0, 30) | st.integers(0, 10**10),
    st.sampled_from(["0.5", "1", "1.0", "2", "3.5", "4.50", "5", "+5", "5e0", " 4 ", "10", "11"]),
    st.integers(0, 10**12).map(str) | st.sampled_from(["1e3", "007", "", "9" * 20]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(plain_rows, min_size=1, max_size=30), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_random_lines_read_the_same_either_way(place, rows, end):
    path = place / "random.csv"
    path.write_text(HEADER + end.join(",".join(map(str, row)) for row in rows))
    careful, large = both_ways(path)
    assert large == careful


@settings(max_examples=250, deadline=None)
@given(mutations(HEADER.encode() + LINES.encode()))
@example(HEADER.encode() + b"\xef\xbb\xbf" + LINES.encode())
@example(HEADER.encode() + LINES.encode() + b"x,10,4.0,5\n")
def test_a_mutated_table_reads_the_same_either_way(place, damaged):
    path = place / "mutated.csv"
    path.write_bytes(damaged)
    careful, large = both_ways(path, Scale(0.5, 5, 0.5))
    assert large == careful


@settings(max_examples=30, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("files", "name"), FORMATS.values(), ids=FORMATS)
def test_damage_to_any_file_of_any_format_reads_the_same_either_way(place, files, name, data):
    where = sources.folder(place / name, files)
    original = files[name].encode()
    cut = data.draw(st.integers(0, len(original)))
    scrap = data.draw(st.binary(max_size=4) | scraps)
    (where / name).write_bytes(original[:cut] + scrap + original[cut + len(scrap) :])
    careful, large = both_ways(where)
    assert large == careful


@settings(max_examples=250, deadline=None)
@given(mutations(("\n" + LINES).encode()), st.sampled_from([NUMBERS, SHUFFLED]))
def test_compiled_code_takes_only_what_the_careful_way_takes(damaged, layout):
    damaged = damaged[1:]
    scales = Scales([Scale(0.1, 25.5, 0.1)])
    plain = bulk.parsed(raw(damaged), layout) if damaged else None
    if plain is not None and scales.accept(plain.stars):
        member = Member("table.csv", len(damaged), lambda: None)
        reading = _Reading(member, layout, scales, set(), lambda *_: None)
        careful, numbers = reading._slow(damaged, 1)
        plain.columns[layout.rating] = plain.columns[layout.rating].codes / 10
        assert [column.tolist() for column in plain.columns] == [c.tolist() for c in careful]
        assert plain.n_lines == len(numbers)


def test_lines_without_anything_unusual_are_plain():
    plain = bulk.parsed(raw(LINES), NUMBERS)
    assert [column.tolist() for column in (*plain.columns[:2], plain.columns[3])] == [
        [1, 1, 2, 7],
        [10, 20, 10, 30],
        [964982703, 964981247, 964982224, 964983815],
    ]
    assert plain.columns[2].codes.tolist() == [40, 5, 50, 30]
    assert plain.stars.tolist() == [0.5, 3, 4, 5]


@pytest.mark.parametrize(
    "line",
    [
        *("", " 1,2,3,4", "1,2,3,4 ", "+1,2,3,4", "-1,2,3,4", '"1",2,3,4', "1,2,3", "1,2,3,4,5"),
        *("1000000000,2,3,4", "1,2,3.,4", "1,2,.5,4", "1,2,3.25,4", "1,2,25.6,4", "1,2,100,4"),
        *("1,2,3e0,4", "1,2,3,4.0", "1,2,3,253402300800", "1,2,,4", "1,2,3,\t4", "1,2,3,4\r\r"),
        *("1;2;3;4", "1,2,3,4\0", "１,2,3,4", "1,2,nan,4", "1,2,3,4\r5"),
    ],
)
def test_an_unusual_line_leaves_its_block_to_the_careful_way(line):
    assert bulk.parsed(raw(f"1,2,3,4\n{line}\n5,6,1,8\n"), NUMBERS) is None


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_block_is_never_read_beyond_its_end(cut):
    whole = b"1,2,3.5,44\n5,6,1.0,8\n"
    amid, alone = (bulk.parsed(block, NUMBERS) for block in (raw(whole)[:cut], raw(whole[:cut])))
    assert (amid and amid.n_lines) == (alone and alone.n_lines)


def test_two_colons_and_no_time_stamps_are_plain_too():
    plain = bulk.parsed(raw("1::2::3\n4::5::1.5"), UNTIMED)
    assert plain.columns[1].tolist() == [2, 5]
    assert bulk.parsed(raw("1:2:3\n"), UNTIMED) is None
    assert bulk.parsed(raw("1:::2::3\n"), UNTIMED) is None


@pytest.mark.parametrize(
    ("lines", "ascending"),
    [
        ("1,1,1,0\n1,2,1,0\n2,1,1,0\n", True),
        ("1,2,1,0\n1,1,1,0\n", False),
        ("2,1,1,0\n1,2,1,0\n", False),
        ("1,1,1,0\n1,1,1,0\n", False),
    ],
)
def test_lines_in_order_are_recognised(lines, ascending):
    assert bulk.parsed(raw(lines), NUMBERS).ascending is ascending


def test_order_is_recognised_across_blocks_and_repetition_too(tmp_path):
    rows = "".join(f"{user},{item},4,100\n" for user in range(9) for item in range(3))
    careful, large = both_ways(sources.plain(tmp_path / "a", HEADER + rows))
    assert large == careful
    careful, large = both_ways(sources.plain(tmp_path / "b", HEADER + rows + "8,2,5,100\n"))
    assert "user 8 rated movie 2 already on line 28" in careful[0]
    assert large == careful


def test_one_unusual_line_is_taken_and_its_block_alone_is_read_carefully(tmp_path, monkeypatch):
    rows = [f"{user},{item},4,100" for user in range(50) for item in range(4)]
    rows[100] = f'"{rows[100]}'.replace(",", '",', 1)
    path, careful = sources.plain(tmp_path, HEADER + "\n".join(rows)), []
    fast = _Reading._fast
    monkeypatch.setattr(_Reading, "_fast", lambda *a: careful.append(a) or fast(*a))
    with in_blocks(200, large=True):
        assert read_source(path).ratings.n_ratings == 200
    assert len(careful) == 1


def test_columns_of_plain_blocks_lie_side_by_side_in_memory():
    lines = raw("1,2,3,4\n" * 10)
    room = bulk.Room(80)
    parts = [room.taken(lines[at : at + 16], 0)[3] for at in range(0, 80, 16)]
    for value, part in enumerate(parts):
        part[:] = value
    whole = columns.chained(parts, np.int64)
    assert np.shares_memory(whole, parts[0])
    assert whole.tolist() == np.repeat(range(5), 2).tolist()


def test_more_lines_than_the_first_block_promised_have_room_too():
    room = bulk.Room(100)
    parts = [room.taken(raw(text), 0)[3] for text in ("1,2,3.0,400000\n", "1,2,3,4\n" * 11)]
    for value, part in enumerate(parts):
        part[:] = value
    assert columns.chained(parts, np.int64).tolist() == [0, *[1] * 11]


def test_blank_lines_make_no_room_for_millions_of_ratings():
    room = bulk.Room(1 << 50)
    assert [len(column) for column in room.taken(raw("\n" * 60), 0)] == [60] * 4


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 1, 0), (0, 2), (1, 1)])
def test_parts_of_one_array_in_another_order_are_copied(order):
    whole = np.arange(6)
    parts = [whole[2 * place : 2 * place + 2] for place in order]
    assert columns.chained(parts, np.int64).tolist() == np.concatenate(parts).tolist()


def test_a_small_file_never_waits_for_compiled_code(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "parsed", None)
    assert read_source(sources.plain(tmp_path, GOOD)).ratings.n_ratings == 2


def test_without_the_compiler_a_large_file_is_read_as_a_small_one(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "find_spec", lambda name: None)
    monkeypatch.setattr(bulk, "parsed", None)
    with in_blocks(24, large=True):
        assert read_source(sources.plain(tmp_path, GOOD)).ratings.n_ratings == 2


def test_progress_of_a_large_file_never_goes_back_and_ends_at_its_size(tmp_path):
    path, told = sources.plain(tmp_path, HEADER + LINES), []
    with in_blocks(24, large=True):
        read_source(path, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize("seed", range(3))
def test_counting_orders_as_sorting_does(seed):
    rng = np.random.default_rng(seed)
    users, items = (rng.integers(0, n, 1000).astype(np.int32) for n in (40, 70))
    order = np.arange(1000, dtype=np.int32)
    for column, n in ((items, 70), (users, 40)):
        order = bulk.counted(column, n, order)
    assert order.tolist() == np.lexsort((items, users)).tolist()


@pytest.mark.parametrize("edition", ["ml-100k", "ml-latest-small"])
def test_real_data_reads_the_same_either_way(real_data, edition):
    careful = outcome(real_data / edition)
    with in_blocks(1 << 16, large=True):
        assert outcome(real_data / edition) == careful


def test_the_layouts_of_movielens_are_plain():
    assert bulk.parsed(raw("1::1193::5::978300760\n"), movielens.DAT).n_lines == 1
    assert bulk.parsed(raw("196\t242\t3\t881250949\n"), movielens.TABS).n_lines == 1
    assert bulk.parsed(raw("userId,movieId\n1,2,3.5,4\n"), movielens.CSV, 1).n_lines == 2
