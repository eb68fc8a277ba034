"""What must come of a plan, worked out by the domain's own rules: the measure of `posthorn demo --once`."""

from collections.abc import Iterable, Sequence

import msgspec

from domain.kernel.errors import Invalid
from domain.trigger.trigger import Trigger, request
from entrypoints.demo import shop
from entrypoints.demo.channels import channel_of
from entrypoints.demo.day import Happening


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that must come out."""

    published: int = 0
    accepted: int = 0
    sent: int = 0
    failed: int = 0
    deferred: int = 0
    absorbed: int = 0

    def __add__(self, other: "Expected") -> "Expected":
        return Expected(**{n: getattr(self, n) + getattr(other, n) for n in self.__struct_fields__})


def expected(happenings: Iterable[Happening], triggers: Sequence[Trigger], busy: set[str]) -> Expected:
    """A notification for each different key, sent unless it is a mail whose mailbox refuses.

    Args:
        busy: addresses that were put off already; those put off now are added.
    """
    keys: set[str] = set()
    total = Expected()
    for happening in happenings:
        asked = sum(happening.copies * (_key(rule, happening) is not None) for rule in triggers)
        made = {key: rule for rule in triggers if (key := _key(rule, happening)) is not None}
        fresh = made.keys() - keys
        keys |= fresh
        mails = sum(channel_of(made[key].template or "") == "email" for key in fresh)
        failed = mails if happening.who.email.endswith(shop.CLOSED) else 0
        put_off = mails > 0 and happening.who.email.endswith(shop.BUSY) and happening.who.email not in busy
        busy |= {happening.who.email} if put_off else set()
        total += Expected(
            published=happening.copies,
            accepted=len(fresh),
            sent=len(fresh) - failed,
            failed=failed,
            deferred=int(put_off),
            absorbed=asked - len(fresh),
        )
    return total


def _key(rule: Trigger, happening: Happening) -> str | None:
    if rule.event != happening.type or not rule.enabled:
        return None
    try:
        return request(rule, happening.event()).idempotency_key
    except Invalid:
        return None
