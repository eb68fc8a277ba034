"""A shop that does not exist: its customers, its goods, and the two mailboxes that make trouble."""

import msgspec

NAME = "Fernwood & Sons"
SENDER = f"{NAME} <hello@fernwood.example.com>"
SOURCE = "/fernwood"
SITE = "https://fernwood.example.com"
ADDRESS = "Fernwood & Sons, 7 Mill Lane, Little Ashby"

CLOSED = "closed.example.com"
"""Mailboxes here are refused for good."""
BUSY = "busy.example.com"
"""Mailboxes here are put off once, then taken."""


class Shopper(msgspec.Struct, frozen=True):
    """A customer with an account (`id`), or a guest (no id: the address comes with each event)."""

    id: str | None
    name: str
    email: str
    locale: str = "en-GB"
    timezone: str = "Europe/London"

    @property
    def account(self) -> str:
        """As lists show it."""
        return self.id or "guest"

    @property
    def phone(self) -> str:
        """One of the numbers that Ofcom keeps for stories."""
        return f"+4477009001{(*CUSTOMERS, *GUESTS).index(self):02d}"


class Product(msgspec.Struct, frozen=True):
    """Something on the shelf."""

    id: str
    name: str
    price: float


MIRA = Shopper("c-101", "Mira Okafor", "mira.okafor@mail.example.com")
JONAS = Shopper("c-102", "Jonas Lind", "jonas.lind@mail.example.com", "sv-SE", "Europe/Stockholm")
SOFIA = Shopper("c-103", "Sofia Marques", "sofia.marques@mail.example.com", "pt-PT", "Europe/Lisbon")
TOM = Shopper("c-104", "Tom Becker", f"tom.becker@{CLOSED}", "de-DE", "Europe/Berlin")
AIKO = Shopper("c-105", "Aiko Tanaka", f"aiko.tanaka@{BUSY}", "ja-JP", "Asia/Tokyo")
LENA = Shopper("c-106", "Lena Novak", "lena.novak@mail.example.com", "cs-CZ", "Europe/Prague")
ELIF = Shopper("c-107", "Elif Demir", "elif.demir@mail.example.com", "tr-TR", "Europe/Istanbul")
NOAH = Shopper("c-108", "Noah Peeters", "noah.peeters@mail.example.com", "nl-BE", "Europe/Brussels")
PRIYA = Shopper("c-109", "Priya Raman", "priya.raman@mail.example.com", "en-IN", "Asia/Kolkata")
HUGO = Shopper("c-110", "Hugo Laurent", "hugo.laurent@mail.example.com", "fr-FR", "Europe/Paris")
CLARA = Shopper(None, "Clara Weiss", "clara.weiss@mail.example.com", "de-AT", "Europe/Vienna")
SAM = Shopper(None, "Sam Adeyemi", "sam.adeyemi@mail.example.com")

CUSTOMERS = (MIRA, JONAS, SOFIA, TOM, AIKO, LENA, ELIF, NOAH, PRIYA, HUGO)
GUESTS = (CLARA, SAM)

LAMP = Product("lamp-1", "Brass desk lamp", 59.90)
KETTLE = Product("kettle-2", "Stovetop kettle", 34.50)
TEA = Product("tea-3", "First flush Darjeeling, 100 g", 12.80)
BLANKET = Product("blanket-4", "Lambswool blanket", 89.00)
MUG = Product("mug-5", "Stoneware mug", 14.20)
PEN = Product("pen-6", "Cherrywood fountain pen", 46.00)
