import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.sse import encode, frame, piece


def read(stream: bytes) -> list[dict[str, str]]:
    """Parse an event stream as a browser does, by the standard's rules for lines and fields."""
    events, fields, data = [], {}, []
    for line in stream.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            events.append({**fields, "data": "\n".join(data)})
            fields, data = {}, []
        elif name == "data":
            data.append(value)
        else:
            fields[name] = value
    assert not fields
    assert not data
    return events


def test_every_field_in_its_line():
    assert encode("<b>1</b>", id=7, retry_ms=2500) == b"id: 7\nretry: 2500\ndata: <b>1</b>\n\n"


def test_data_alone():
    assert encode("x") == b"data: x\n\n"


def test_an_id_of_zero_is_an_id():
    assert encode("x", id=0).startswith(b"id: 0\n")


def test_an_event_that_every_browser_ignores_is_refused():
    with pytest.raises(AssertionError):
        encode("", id=1, retry_ms=5)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_each_kind_of_line_end_becomes_a_data_line(end):
    assert encode(f"a{end}b") == b"data: a\ndata: b\n\n"


def test_a_lone_surrogate_does_not_raise():
    assert encode("₹\ud800") == "data: ₹?\n\n".encode()


text = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\r\n: "), max_size=40)


@given(st.lists(st.tuples(text.filter(bool), st.none() | st.integers(0)), max_size=4))
def test_a_browser_reads_back_what_was_sent(sent):
    """No data ends its event early, adds a field or leaks into the next event."""
    stream = b"".join(encode(data, id=number) for data, number in sent)
    expected = [
        {
            **({} if number is None else {"id": str(number)}),
            "data": data.replace("\r\n", "\n").replace("\r", "\n"),
        }
        for data, number in sent
    ]
    assert read(stream) == expected


@given(text.filter(bool))
def test_an_event_ends_with_two_line_feeds_and_holds_no_other_pair(data):
    stream = encode(data)
    assert stream.endswith(b"\n\n")
    assert b"\n\n" not in stream[:-1]
    assert b"\r" not in stream


@given(st.lists(st.text(), min_size=1), st.none() | st.integers(0, 10**16))
def test_an_event_joined_from_pieces_reads_like_one_encoded_whole(texts, id_):
    assert read(frame([piece(text) for text in texts], id=id_))[0]["data"] == "".join(
        piece(text).decode().replace("\ndata: ", "\n") for text in texts
    )
    assert frame([piece("".join(texts))], id=id_) == (
        encode("".join(texts), id=id_) if "".join(texts) else frame([b""], id=id_)
    )
