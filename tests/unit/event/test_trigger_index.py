"""Triggers close at hand: found in every spelling, seen soon after a change."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from adapters.system import SystemClock
from application.event.trigger_index import TriggerIndex, fold
from domain.trigger.trigger import Trigger
from tests.support.memory.catalog import MemoryTriggers
from tests.support.memory.rows import MemoryRows


@dataclass
class Counted:
    """Triggers that know how often they were listed."""

    triggers: MemoryTriggers
    pages: int = 0

    def __getattr__(self, name):
        return getattr(self.triggers, name)

    async def page(self, after, limit):
        self.pages += after == ""
        return await self.triggers.page(after, limit)


class HandClock(SystemClock):
    """Stands still until it is moved."""

    at = 100.0

    def monotonic(self):
        return self.at


def trigger(id_="a", event="order.created", **changes):
    return Trigger(id=id_, event=event, type="order_confirmation", template="t", **changes)


async def made(*triggers):
    known, clock = Counted(MemoryTriggers(rows=MemoryRows(SystemClock()))), HandClock()
    for each in triggers:
        await known.put(each, expected=0)
    return known, clock, TriggerIndex(triggers=known, clock=clock)


async def test_a_type_is_found_in_every_spelling_a_shop_uses():
    _, _, index = await made(trigger(event="order.created"))
    rules = await index.rules()
    for spelling in ("order.created", "order_created", "OrderCreated", "order-created"):
        assert [t.id for t in rules[fold(spelling)]] == ["a"]
    assert fold("order.cancelled") not in rules


async def test_several_triggers_of_one_type_come_in_the_order_of_their_ids():
    _, _, index = await made(trigger("b"), trigger("a"), trigger("c", event="other"))
    assert [t.id for t in (await index.rules())[fold("order.created")]] == ["a", "b"]


async def test_a_trigger_that_is_off_does_not_run():
    _, _, index = await made(trigger("a", enabled=False), trigger("b"))
    assert [t.id for t in (await index.rules())[fold("order.created")]] == ["b"]


async def test_more_triggers_than_a_page_are_all_found():
    _, _, index = await made(*(trigger(f"t{n:04}") for n in range(450)))
    assert len((await index.rules())[fold("order.created")]) == 450


async def test_it_is_read_once_while_fresh_and_again_after():
    known, clock, index = await made(trigger())
    await index.rules()
    clock.at += index.fresh.total_seconds() - 0.01
    await index.rules()
    assert known.pages == 1
    await known.put(msgspec.structs.replace(trigger(), enabled=False), expected=1)
    clock.at += 0.01
    assert await index.rules() == {}
    assert known.pages == 2


async def test_a_change_of_this_process_is_seen_at_once():
    known, _, index = await made(trigger())
    index.fresh = timedelta(hours=1)
    await index.rules()
    await known.delete("a", expected=None)
    index.forget()
    assert await index.rules() == {}
