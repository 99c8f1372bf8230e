"""Bytes to events: the cut of the network changes nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orpolicy.client.refusals import StreamError
from orpolicy.client.sse import Splitter

TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
LINES = st.one_of(
    TEXT,
    TEXT.map("data: {}".format),
    TEXT.map("data:{}".format),
    TEXT.map(": {}".format),
    st.sampled_from(
        ["", "", "data", "event: message", "id: 7", "retry: 10", "data: \u2028\x85\x0b\x0c\x1c", "data: é"]
    ),
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"]))).map(
    lambda lines: "".join(line + end for line, end in lines)
)


def events_of(stream: str) -> list[str]:
    """Read a whole stream as the standard says, slowly."""
    found, data = [], []
    *lines, _unfinished = re.split("\r\n|\n|\r", stream.removeprefix("\ufeff"))
    for line in lines:
        name, _, value = line.partition(":")
        if line == "" and data:
            found.append("\n".join(data))
            data = []
        elif name == "data":
            data.append(value.removeprefix(" "))
    return found


def split(pieces: list[bytes], **settings: int) -> list[str]:
    splitter = Splitter(**settings)
    return [event for piece in pieces for event in splitter.feed(piece)]


@given(stream=STREAMS, bom=st.booleans(), tail=TEXT, data=st.data())
def test_events_do_not_depend_on_where_the_network_cuts(stream, bom, tail, data) -> None:
    stream = ("\ufeff" if bom else "") + stream + tail
    raw = stream.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert split(pieces) == events_of(stream)


@given(stream=STREAMS)
def test_one_byte_at_a_time_gives_the_same_events(stream) -> None:
    assert split([bytes([byte]) for byte in stream.encode()]) == events_of(stream)


def test_an_event_is_given_out_before_the_next_byte_arrives() -> None:
    assert split([b"data: 1\r\r"]) == ["1"]
    assert split([b"data: 1\n\n"]) == ["1"]


def test_an_event_without_its_empty_line_is_dropped() -> None:
    assert split([b"data: 1\n\ndata: 2\n"]) == ["1"]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "line", [b"data: " + b"x" * 60, b"data: 1\ndata: " + b"x" * 50, b": " + b"c" * 80, b"data\n" * 20]
)
def test_an_event_over_the_limit_is_refused_however_it_is_cut(line, size) -> None:
    stream = b"data: before\n\n" + line + b"\n\n"
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    splitter, seen = Splitter(limit=60), []
    with pytest.raises(StreamError, match="larger than 60 bytes"):
        seen.extend(event for piece in pieces for event in splitter.feed(piece))
    assert seen == ["before"]
    assert split(pieces, limit=100) == events_of(stream.decode())


def test_an_event_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(StreamError, match="not UTF-8"):
        split([b"data: \xff\n\n"])


def test_a_long_line_in_small_pieces_is_not_joined_again_and_again() -> None:
    pieces = [b"data: ", *[b"x" * 10] * 100_000, b"\n\n"]
    assert split(pieces) == ["x" * 1_000_000]
