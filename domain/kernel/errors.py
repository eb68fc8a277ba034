"""All errors that are raised on purpose, as one tree.

PosthornError
├── Invalid              the request can never succeed as it is; it carries every fault
│   └── Misplaced        no partition holds ids of its month; the database itself works
├── NotFound             no such thing
├── Conflict             it exists, or moved on meanwhile (ETag)
├── KeyReused            this idempotency key belongs to another command
├── InFlight             the same key is being accepted right now: ask again shortly
├── Overloaded           the queue in front is full: ask again shortly
├── RenderingTimedOut    a template took too long with this data and was stopped: a few tries at most
├── Unavailable          a part that the service needs is away
│   ├── StoreUnavailable
│   ├── BrokerUnavailable
│   ├── KeyUnavailable
│   ├── Unfetched
│   └── SecretUnavailable
├── Undecodable          a message nobody can read, now or later
└── Misconfigured        the operator must change something; the message says what
"""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

import msgspec

FAULTS_MAX = 100
"""Most faults that one error reports; the rest shows when these are corrected."""


class PosthornError(Exception):
    """Root of all errors raised on purpose."""


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a request; `pointer` is a JSON pointer (RFC 6901) into it."""

    pointer: str
    code: str
    detail: str


class Invalid(PosthornError):
    """A request that can never succeed as it is; carries the faults found."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults[: FAULTS_MAX + 1]
        """One more than is reported means: there are others."""
        text = "; ".join(f"{f.pointer or '/'}: {f.detail}" for f in faults[:FAULTS_MAX])
        super().__init__(f"{text}; and more" if len(faults) > FAULTS_MAX else text)


def hold(faults: Iterable[Fault]) -> None:
    """Raise `Invalid` if there is a fault; stops looking once there are more than are reported.

    Raises:
        Invalid: there are some.
    """
    if found := tuple(islice(faults, FAULTS_MAX + 1)):
        raise Invalid(*found)


class Misplaced(Invalid):
    """The id belongs to a month without a partition: an operator has to make it, or the id is wrong."""

    def __init__(self) -> None:
        detail = "no partition holds ids of its month; `posthorn migrate` makes those of the coming ones"
        super().__init__(Fault("", "no_partition", detail))


class NotFound(PosthornError):
    """No such thing."""


class Conflict(PosthornError):
    """It exists already, or changed since the caller read it."""


class KeyReused(PosthornError):
    """The idempotency key was used for another command during the last 90 days."""


class InFlight(PosthornError):
    """Another process is accepting the same idempotency key right now; of a batch, `keys` are concerned."""

    def __init__(self, said: str = "", *, keys: Iterable[UUID] = ()) -> None:
        super().__init__(said)
        self.keys = frozenset(keys)


class Overloaded(PosthornError):
    """A bounded queue is full."""


class RenderingTimedOut(PosthornError):
    """Rendering was stopped at its deadline, or its process died of it.

    On a busy machine it may succeed later, so it is retried a few times only.
    """


class Unavailable(PosthornError):
    """A part that the service needs is away; the same call may succeed later."""


class StoreUnavailable(Unavailable):
    """The database is away."""


class BrokerUnavailable(Unavailable):
    """The broker is away, or did not confirm in time."""


class KeyUnavailable(Unavailable):
    """Data is sealed under a key that this process does not have: another one has it, or will."""


class Unfetched(Unavailable):
    """A file cannot be fetched from where the shop has it; the text says why, without the URL's path."""


class SecretUnavailable(Unavailable):
    """A secret cannot be had: there is none by its reference, or who keeps it is away."""


class Undecodable(PosthornError):
    """A message that nobody can read, now or later."""


class Misconfigured(PosthornError):
    """The configuration cannot work; the message names the key and what to do."""
