"""Whether the database is to be asked."""

from application.intake.outage import StoreOutage
from tests.unit.intake.promising import Hand


def test_one_asks_each_moment_while_it_is_away() -> None:
    clock = Hand()
    outage = StoreOutage(clock=clock)
    assert [outage.may_ask() for _ in range(3)] == [True] * 3
    outage.began()
    assert [outage.may_ask() for _ in range(3)] == [False] * 3
    for clock.seconds in (1.0, 2.0):
        assert [outage.may_ask() for _ in range(3)] == [True, False, False]
    outage.ended()
    assert [outage.may_ask() for _ in range(3)] == [True] * 3
