"""Damage to tables of ratings, for the tests of the readers."""

from hypothesis import strategies as st

scraps = st.one_of(
    st.binary(min_size=0, max_size=3),
    st.sampled_from([b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b"-", b"+", b" ", b"e1", b"0", b"."])
    | st.sampled_from(
        [b"nan", b"inf", b"x", b'""', b"\xff", b"\xc3\xa9", b"\t", b"\xef\xbb\xbf", b"\x1f", b"0x1"]
    ),
)


@st.composite
def mutations(draw, original, start=0):
    """``original`` with one to three pieces overwritten, inserted or removed after ``start``."""
    raw = original
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(min(start, len(raw)), len(raw)))
        raw = raw[:place] + draw(scraps) + raw[place + draw(st.integers(0, 3)) :]
    return raw
