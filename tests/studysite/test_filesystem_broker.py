"""Messages are written in one step and go to one worker."""

import threading
from queue import Empty

import pytest
from kombu import Connection

from studysite.filesystem_broker import Transport


@pytest.fixture
def channel(tmp_path):
    (tmp_path / "data").mkdir()
    options = {"folder": str(tmp_path / "data")}
    with Connection(transport=Transport, transport_options=options) as connection:
        yield connection.channel()


def test_messages_arrive_in_order(channel):
    for number in range(20):
        channel._put("device", {"number": number})
    assert [channel._get("device")["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(Empty):
        channel._get("device")


def test_urgent_messages_arrive_first_and_those_of_earlier_versions_are_urgent(channel, tmp_path):
    for number in (9, 0, 3):
        channel._put("device", {"properties": {"priority": number}, "number": number})
    (tmp_path / "data" / "01764000000000000000_x.device.msg").write_text('{"number": "old"}')
    assert [channel._get("device")["number"] for _ in range(4)] == [0, "old", 3, 9]


def test_taking_a_message_leaves_no_file(channel, tmp_path):
    channel._put("device", {})
    channel._get("device")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("rest", [b"", b'{"numb', b"\xff\xfe"])
def test_a_damaged_message_is_dropped_and_the_next_one_taken(channel, tmp_path, rest):
    (tmp_path / "data" / "0-00000000000000000001_x.device.msg").write_bytes(rest)
    channel._put("device", {"number": 1})
    assert channel._get("device") == {"number": 1}
    assert list((tmp_path / "data").iterdir()) == []


def test_a_deleted_queue_folder_is_created_again(channel, tmp_path):
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


def test_concurrent_readers_get_each_message_once(channel):
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


def test_the_queue_is_counted_and_cleared_alone(channel):
    for queue in ("device", "device", "other"):
        channel._put(queue, {})
    assert channel.queue_purge("device") == 2
    assert (channel._size("device"), channel._size("other")) == (0, 1)
