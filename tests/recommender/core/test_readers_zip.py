"""Zips that are damaged or mean harm; nothing of them is unpacked."""

import struct
import zipfile

import pytest

from recommender.core.errors import SourceError
from recommender.core.readers import members, read_source
from tests.recommender.core import sources

FILES = {"ratings.csv": sources.PLAIN}


def refused(path) -> str:
    """The message, once it is sure that nothing appeared beside the zip."""
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
    assert "data.zip: the zip is truncated or damaged. Get the file anew" in refused(archive)


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
    assert "the zip holds a link: 'movies.csv'" in refused(path)


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    path = sources.zipped(tmp_path / "data.zip", FILES | {"movies.csv": b"0" * (30 << 20)})
    assert path.stat().st_size < 100_000
    assert "the zip would unpack 'movies.csv' to over 100 times its size" in refused(path)


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused(archive, monkeypatch):
    monkeypatch.setattr(members, "LARGEST_ZIP", 10_000)
    assert "the zip unpacks to more than" in refused(archive)


def test_a_zip_of_countless_files_is_refused(archive, monkeypatch):
    monkeypatch.setattr(members, "MOST_FILES", 0)
    assert "the zip holds 1 files, more than 0" in refused(archive)


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
    assert "the zip holds 'ratings.csv' twice" in refused(archive)


def test_a_zip_without_ratings_is_refused(tmp_path):
    path = sources.zipped(tmp_path / "sheet.zip", {"xl/workbook.xml": "<x/>"})
    assert "sheet.zip: there are no ratings in it. Name a folder" in refused(path)


def test_a_fault_inside_a_zip_names_the_member_and_the_line(tmp_path):
    path = sources.zipped(tmp_path / "data.zip", {"ml/ratings.csv": sources.PLAIN + "1,1,x,1\n"})
    assert "data.zip/ml/ratings.csv:5: rating: 'x' is not a number" in refused(path)


def test_copies_that_a_mac_adds_are_passed_over(tmp_path):
    files = FILES | {"__MACOSX/._ratings.csv": "\0\5", "__MACOSX/ratings.csv": "x"}
    assert read_source(sources.zipped(tmp_path / "data.zip", files)).ratings.n_ratings == 3
