"""Messages of the filesystem transport appear whole and go to one worker."""

import json
import threading
from queue import Empty

import pytest
from kombu import Connection

from studysite.filesystem_broker import Transport


@pytest.fixture
def channel(tmp_path):
    (tmp_path / "data").mkdir()
    options = {
        "data_folder_in": str(tmp_path / "data"),
        "data_folder_out": str(tmp_path / "data"),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection(transport=Transport, transport_options=options) as connection:
        yield connection.channel()


def test_messages_come_in_the_order_they_were_put(channel):
    for number in range(20):
        channel._put("device", {"number": number})
    assert [channel._get("device")["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(Empty):
        channel._get("device")


def test_taking_a_message_leaves_no_file(channel, tmp_path):
    channel._put("device", {})
    channel._get("device")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("rest", [b"", b'{"numb', b"\xff\xfe"])
def test_a_damaged_message_is_dropped_and_the_next_one_taken(channel, tmp_path, rest):
    (tmp_path / "data" / "00000000000000000001_x.device.msg").write_bytes(rest)
    channel._put("device", {"number": 1})
    assert channel._get("device") == {"number": 1}
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("rest", [b"", b"[[", b"\xff\xfe"])
def test_damaged_bindings_are_written_anew(channel, tmp_path, rest):
    channel._queue_bind("device", "device", "", "device")
    (file,) = (tmp_path / "control").iterdir()
    file.write_bytes(rest)
    channel._queue_bind("device", "device", "", "device")
    assert channel.get_table("device") == [("device", "", "device")]


def test_a_queue_that_was_cleared_away_takes_messages_again(channel, tmp_path):
    (tmp_path / "data").rmdir()
    with pytest.raises(Empty):
        channel._get("device")
    channel._put("device", {"number": 1})
    assert channel._get("device") == {"number": 1}


def test_a_message_that_is_still_being_written_is_not_taken(channel, tmp_path):
    (tmp_path / "data" / ".half.partial").write_text('{"numb')
    with pytest.raises(Empty):
        channel._get("device")


def test_a_queue_does_not_take_the_messages_of_another(channel):
    channel._put("other", {})
    with pytest.raises(Empty):
        channel._get("device")


def test_of_many_takers_each_message_goes_to_one(channel):
    for number in range(200):
        channel._put("device", {"number": number})
    taken = []

    def take():
        while True:
            try:
                taken.append(channel._get("device")["number"])
            except Empty:
                return

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert sorted(taken) == list(range(200))


def test_a_binding_is_written_whole_and_once(channel, tmp_path):
    for _ in range(2):
        channel._queue_bind("device", "device", "", "device")
    channel._queue_bind("device", "other", "", "other")
    (file,) = (tmp_path / "control").iterdir()
    assert json.loads(file.read_text()) == [["other", "", "other"], ["device", "", "device"]]
    assert [row.queue for row in channel.get_table("device")] == ["other", "device"]
