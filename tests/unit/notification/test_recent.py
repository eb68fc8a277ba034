"""What was used last is kept within bounds of number and size; what JSON takes is not guessed too low."""

import tracemalloc

import pytest

from application.kernel.caching import Recent
from domain.kernel.number import read_json
from domain.kernel.weight import weight


def test_the_oldest_goes_when_there_are_too_many_or_they_are_too_large():
    kept: Recent[str, str] = Recent(most=3, size_max=100)
    for name in "abcd":
        kept.keep(name, name.upper(), 10)
    assert [kept.get(name) for name in "abcd"] == [None, "B", "C", "D"]
    kept.keep("large", "L", 90)
    assert [kept.get(name) for name in ("b", "c", "d", "large")] == [None, None, "D", "L"]
    assert kept.size == 100
    kept.keep("huge", "H", 101)
    assert (kept.get("huge"), kept.get("large")) == (None, "L")
    kept.keep("large", "l", 20)
    assert (kept.get("large"), kept.size) == ("l", 30)


@pytest.mark.parametrize(
    "thing",
    [b"1.5", b"[]", b"{}", b'"ab"', b"12.345678901234567", b'{"a":1}', b"[[1]]", b'"' + b"x" * 500 + b'"'],
)
def test_json_takes_no_more_than_its_weight(thing: bytes):
    text = b"[" + b",".join([thing] * 10_000) + b"]"
    tracemalloc.start()
    try:
        read = read_json(text)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(read) == 10_000
    assert taken < 1.7 * weight(text)
