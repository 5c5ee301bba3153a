"""Files, folders and zips: damaged or malicious zips are refused, and nothing is unpacked."""

import hashlib
import struct
import zipfile
from pathlib import Path

import pytest

from recommender.core.errors import SourceError
from recommender.core.readers import archive as archives
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources

FILES = {"ratings.csv": sources.PLAIN}


def refused(path) -> str:
    """The message of the refusal, after which no new file may exist near the zip."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(SourceError) as error:
        read_source(path)
    assert sorted(path.parent.rglob("*")) == before
    return str(error.value)


@pytest.fixture
def archive(tmp_path):
    """A sound zip, large enough to be cut."""
    lines = "".join(f"{user},{item},4,100\n" for user in range(50) for item in range(50))
    content = {"ratings.csv": f"user,item,rating,timestamp\n{lines}"}
    return sources.zipped(tmp_path / "data.zip", content)


def test_the_sound_zip_is_read(archive):
    assert read_source(archive).ratings.n_ratings == 2500


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_zip_is_refused(archive, share):
    raw = archive.read_bytes()
    archive.write_bytes(raw[: int(len(raw) * share)])
    assert "data.zip: the zip is truncated or damaged" in refused(archive)


def test_a_zip_with_a_flipped_bit_is_refused(archive):
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    archive.write_bytes(raw)
    assert "data.zip/ratings.csv: cannot be read" in refused(archive)


@pytest.mark.parametrize(
    "name",
    ["../evil.csv", "a/../../evil.csv", "/etc/evil.csv", "..\\evil.csv", "C:\\evil.csv", "C:evil"],
)
def test_a_path_that_leaves_the_zip_is_refused(tmp_path, name):
    path = sources.zipped(tmp_path / "data.zip", FILES | {name: "x"})
    assert "data.zip: the zip names a path outside itself" in refused(path)


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = sources.zipped(tmp_path / "data.zip", FILES)
    entry = zipfile.ZipInfo("movies.csv")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "the zip contains a link: 'movies.csv'" in refused(path)


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    path = sources.zipped(tmp_path / "data.zip", FILES | {"movies.csv": b"0" * (30 << 20)})
    assert path.stat().st_size < 100_000
    assert "the zip would unpack 'movies.csv' to over 100 times its size" in refused(path)


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused(archive, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_ZIP", 10_000)
    assert "the zip unpacks to more than" in refused(archive)


def test_a_zip_of_too_many_files_is_refused(archive, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 0)
    assert "the zip contains 1 files" in refused(archive)


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_declared(archive):
    raw = bytearray(archive.read_bytes())
    central = raw.rfind(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<I", 100)
    archive.write_bytes(raw)
    assert "data.zip/ratings.csv: cannot be read" in refused(archive)


def test_members_that_share_their_bytes_are_refused(archive):
    raw = bytearray(archive.read_bytes())
    central, end = raw.rfind(b"PK\x01\x02"), raw.rfind(b"PK\x05\x06")
    twin = bytearray(raw[central:end])
    twin[46:57] = b"sgnitar.csv"
    tail = bytearray(raw[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", 2 * (end - central))
    archive.write_bytes(raw[:end] + twin + tail)
    assert "the zip has members that overlap" in refused(archive)


def test_an_encrypted_member_is_refused(archive):
    raw = bytearray(archive.read_bytes())
    central = raw.rfind(b"PK\x01\x02")
    raw[6] |= 1
    raw[central + 8] |= 1
    archive.write_bytes(raw)
    assert "data.zip/ratings.csv: cannot be read" in refused(archive)
    assert "encrypted" in refused(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(archive):
    with zipfile.ZipFile(archive, "a") as again:
        again.writestr("ratings.csv", "other")
    assert "'ratings.csv' twice" in refused(archive)


def test_a_zip_without_ratings_is_refused(tmp_path):
    path = sources.zipped(tmp_path / "sheet.zip", {"xl/workbook.xml": "<x/>"})
    assert "sheet.zip: " in refused(path)


def test_a_fault_inside_a_zip_names_the_member_and_the_line(tmp_path):
    path = sources.zipped(tmp_path / "data.zip", {"ml/ratings.csv": sources.PLAIN + "1,1,x,1\n"})
    assert "data.zip/ml/ratings.csv:5: rating: " in refused(path)


def test_copies_added_by_macos_are_ignored(tmp_path):
    files = FILES | {"__MACOSX/._ratings.csv": "\0\5", "__MACOSX/ratings.csv": "x"}
    assert read_source(sources.zipped(tmp_path / "data.zip", files)).ratings.n_ratings == 3


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "BLOCK", 1 << 12)
    path = sources.plain(tmp_path, sources.PLAIN + "9" * 300_000)
    with pytest.raises(SourceError) as error:
        read_source(path)
    assert error.value.line == 5


def test_blocks_end_with_lines_and_know_their_first_line(tmp_path):
    path = sources.plain(tmp_path, b"\xef\xbb\xbfab\ncd\n\nefghijklm\nn")
    file = archives.SourceFile("table", path.stat().st_size, lambda: path.open("rb"))
    assert list(file.blocks(7)) == [(1, b"ab\n"), (2, b"cd\n\n"), (4, b"efghijklm\n"), (5, b"n")]
    assert list(file.lines()) == [(1, b"ab"), (2, b"cd"), (4, b"efghijklm"), (5, b"n")]
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_reading_ahead_keeps_the_order_and_passes_an_error_on_in_its_place():
    def numbers():
        yield from (1, 2)
        raise SourceError("broken")

    found = archives.read_ahead(numbers())
    assert (next(found), next(found)) == (1, 2)
    with pytest.raises(SourceError, match="broken"):
        next(found)


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere: does not exist"):
        read_source(tmp_path / "nowhere")


def test_a_device_is_not_read():
    with pytest.raises(SourceError, match="is not a file or folder"):
        read_source(Path("/dev/zero"))
