"""What happens in the shop on one day, as events."""

from collections.abc import Sequence

import msgspec

from domain.kernel.json_values import Json
from domain.trigger.trigger import ShopEvent
from entrypoints.demo import shop
from entrypoints.demo.shop import Product, Shopper


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One event at one minute of the shop's day."""

    at: str
    """HH:MM."""
    id: str
    type: str
    who: Shopper
    data: dict[str, Json]
    copies: int = 1
    """How often the shop publishes this very event."""

    def event(self) -> ShopEvent:
        """As triggers see it."""
        return ShopEvent(id=self.id, source=shop.SOURCE, type=self.type, data=self.data)


class Day:
    """Collects happenings; `prefix` makes the ids of orders and events unique to this day."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._orders = 100
        self.happenings: list[Happening] = []

    def event(self, at: str, type_: str, who: Shopper, *, copies: int = 1, **data: object) -> None:
        """Add an event that concerns `who`."""
        number = len(self.happenings) + 1
        guest = {"email": who.email, "phone": who.phone, "name": who.name, "locale": who.locale}
        me = {"userId": who.id} if who.id else guest
        self.happenings.append(
            Happening(
                at=at,
                id=f"{self._prefix}-{number:03d}",
                type=type_,
                who=who,
                data={**me, "shopName": shop.NAME, **data},
                copies=copies,
            )
        )

    def order(self, at: str, who: Shopper, *goods: Product, copies: int = 1) -> str:
        """An order and its payment; returns the order's id."""
        self._orders += 1
        id_ = f"{self._prefix}-{self._orders}"
        total = round(sum(each.price for each in goods), 2)
        self.event(
            at,
            "order.created",
            who,
            copies=copies,
            orderId=id_,
            total=total,
            currency="GBP",
            items=_items(goods),
        )
        self.event(
            at, "payment.received", who,
            paymentId=f"pay-{id_}", orderId=id_, amount=total, currency="GBP", method="Visa •••• 4242",
        )  # fmt: skip
        return id_

    def ship(self, at: str, who: Shopper, order: str, parcel: int, *goods: Product) -> None:
        """A parcel is shipped."""
        number = f"GB{order.upper().replace('-', '')}{parcel:02d}"
        self.event(
            at, "order.shipped", who,
            orderId=order, shipmentId=str(parcel), carrier="Royal Post", trackingNumber=number,
            trackingUrl=f"{shop.SITE}/track/{number}", items=_items(goods), currency="GBP",
        )  # fmt: skip

    def deliver(self, at: str, who: Shopper, order: str, *, copies: int = 1) -> None:
        """The order is delivered."""
        self.event(
            at, "order.delivered", who, copies=copies, orderId=order, reviewUrl=f"{shop.SITE}/review/{order}"
        )

    def forget_password(self, at: str, who: Shopper) -> None:
        """A password reset; each request has a link of its own."""
        token = f"{self._prefix}{len(self.happenings):04x}".lower()
        self.event(
            at,
            "user.password_reset_requested",
            who,
            resetUrl=f"{shop.SITE}/reset/{token}",
            expiresInMinutes=30,
        )

    def leave_cart(self, at: str, who: Shopper, cart: str, *goods: Product) -> None:
        """A cart is abandoned."""
        self.event(
            at, "cart.abandoned", who,
            cartId=f"{self._prefix}-{cart}", cartUrl=f"{shop.SITE}/cart/{cart}",
            items=_items(goods), currency="GBP",
            unsubscribeUrl=f"{shop.SITE}/unsubscribe/{who.id}", postalAddress=shop.ADDRESS,
        )  # fmt: skip

    def restock(self, at: str, who: Shopper, product: Product) -> None:
        """A product that somebody asked for is back in stock."""
        self.event(
            at, "product.back_in_stock", who,
            productId=product.id, productName=product.name, productUrl=f"{shop.SITE}/p/{product.id}",
            price=product.price, currency="GBP",
            unsubscribeUrl=f"{shop.SITE}/unsubscribe/{who.id}", postalAddress=shop.ADDRESS,
        )  # fmt: skip


def greet(prefix: str) -> list[Happening]:
    """The shop tells of its customers: `users` learns their addresses."""
    day = Day(prefix)
    for user in shop.CUSTOMERS:
        day.event(
            "08:00", "user.created", user,
            email=user.email, phone=user.phone, name=user.name, locale=user.locale, timezone=user.timezone,
        )  # fmt: skip
    return day.happenings


def plan(prefix: str) -> list[Happening]:
    """An ordinary day, with its repetitions, its closed mailbox and its busy one."""
    day = Day(prefix)
    first = day.order("08:15", shop.MIRA, shop.LAMP, shop.TEA, copies=2)
    day.forget_password("08:31", shop.JONAS)
    day.forget_password("08:33", shop.JONAS)
    guest = day.order("08:50", shop.CLARA, shop.BLANKET)
    closed = day.order("09:12", shop.TOM, shop.PEN)
    for at in ("09:30", "09:45", "10:00"):
        day.leave_cart(at, shop.SOFIA, "c-9", shop.KETTLE, shop.TEA)
    for user in (shop.ELIF, shop.NOAH, shop.PRIYA):
        day.restock("10:20", user, shop.KETTLE)
    busy = day.order("10:41", shop.AIKO, shop.TEA)
    day.ship("11:05", shop.MIRA, first, 1, shop.LAMP)
    sofas = day.order("11:20", shop.NOAH, shop.KETTLE)
    day.ship("11:48", shop.MIRA, first, 2, shop.TEA)
    regret = day.order("12:10", shop.HUGO, shop.BLANKET, shop.MUG)
    day.event(
        "12:34", "order.cancelled", shop.HUGO,
        orderId=regret, reason="you asked us to", refund=103.20, currency="GBP",
    )  # fmt: skip
    day.ship("13:02", shop.CLARA, guest, 1, shop.BLANKET)
    lunch = day.order("13:15", shop.LENA, shop.MUG, shop.MUG, copies=3)
    day.forget_password("13:40", shop.PRIYA)
    day.ship("14:05", shop.AIKO, busy, 1, shop.TEA)
    day.ship("14:06", shop.TOM, closed, 1, shop.PEN)
    day.deliver("14:30", shop.MIRA, first, copies=3)
    second_guest = day.order("14:55", shop.SAM, shop.PEN)
    day.leave_cart("15:10", shop.ELIF, "c-12", shop.BLANKET)
    day.ship("15:35", shop.LENA, lunch, 1, shop.MUG)
    day.ship("15:36", shop.NOAH, sofas, 1, shop.KETTLE)
    day.deliver("16:10", shop.CLARA, guest)
    day.restock("16:30", shop.MIRA, shop.BLANKET)
    evening = day.order("17:05", shop.ELIF, shop.BLANKET, copies=2)
    day.deliver("17:20", shop.AIKO, busy)
    day.ship("17:45", shop.SAM, second_guest, 1, shop.PEN)
    day.deliver("18:10", shop.LENA, lunch, copies=2)
    day.forget_password("18:40", shop.SOFIA)
    day.ship("19:00", shop.ELIF, evening, 1, shop.BLANKET)
    day.deliver("19:30", shop.NOAH, sofas)
    day.order("20:05", shop.JONAS, shop.TEA, shop.MUG)
    day.deliver("20:40", shop.SAM, second_guest)
    return day.happenings


def _items(goods: Sequence[Product]) -> list[dict[str, Json]]:
    counted: dict[str, dict[str, Json]] = {}
    for each in goods:
        line = counted.setdefault(each.id, {"name": each.name, "quantity": 0, "price": each.price})
        line["quantity"] += 1
    return list(counted.values())
