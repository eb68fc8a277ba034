"""What JSON takes in memory once it is read: many times its length, when it is made of small things."""

_MARKS = b",:[{"
_THING = 64


def weight(text: bytes) -> int:
    """Bytes, about, and rather more than less: a list of empty lists takes 28 times its text."""
    return len(text) + _THING * (len(text) - len(text.translate(None, _MARKS)))
