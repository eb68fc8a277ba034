"""Whether the database is to be asked."""

from application.intake.absence import Absence
from tests.unit.intake.promising import Hand


def test_one_asks_each_moment_while_it_is_away() -> None:
    clock = Hand()
    absence = Absence(clock=clock)
    assert [absence.over() for _ in range(3)] == [True] * 3
    absence.noticed()
    assert [absence.over() for _ in range(3)] == [False] * 3
    for clock.seconds in (1.0, 2.0):
        assert [absence.over() for _ in range(3)] == [True, False, False]
    absence.ended()
    assert [absence.over() for _ in range(3)] == [True] * 3
