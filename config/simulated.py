"""What simulated providers are given: ids, and the ledger of what they took."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from adapters.providers.kit.ledger import Ledger
from adapters.system import SystemClock, SystemIds
from application.kernel.ports import Ids
from domain.kernel.errors import Misconfigured


def ids() -> Ids:
    """For what they call messages."""
    return SystemIds()


def writing(path: Path) -> Callable[[UUID, int, str], None]:
    """Writes a line to the file: the delivery, its attempt, and what became of it.

    Raises:
        Misconfigured: the file cannot be opened.
    """
    try:
        ledger = Ledger(path)
    except OSError as error:
        raise Misconfigured(f"the ledger {path} cannot be opened: {error.strerror}") from None

    clock = SystemClock()

    def write(delivery: UUID, attempt: int, outcome: str) -> None:
        ledger.line(clock.now().isoformat(), delivery, attempt, outcome)

    return write
