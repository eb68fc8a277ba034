"""The errors of the house, as one tree.

PosthornError
├── Invalid              the request can never succeed as it is: tell the caller, with every fault
│   └── Misplaced        the database has no place for its time: the fault of this one, not an outage
├── NotFound             no such thing
├── Conflict             it exists, or moved on meanwhile (ETag)
├── KeyReused            this idempotency key belongs to another command
├── InFlight             the same key is being accepted right now: ask again shortly
├── Overloaded           the queue in front is full: ask again shortly
├── RenderingTimedOut    a template took too long with this data and was stopped: a few tries at most
├── Unavailable          a part we stand on is away
│   ├── StoreUnavailable
│   ├── BrokerUnavailable
│   └── KeyUnavailable
├── Undecodable          a message nobody can read, now or later
└── Misconfigured        the operator must change something; the message says what
"""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

import msgspec

FAULTS_MAX = 100
"""So many faults of one request are told; who mends them hears of the others."""


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
        """One more than are told stands for all the others."""
        told = "; ".join(f"{f.pointer or '/'}: {f.detail}" for f in faults[:FAULTS_MAX])
        super().__init__(f"{told}; and more" if len(faults) > FAULTS_MAX else told)


def hold(faults: Iterable[Fault]) -> None:
    """Look for faults only until there are more than are told.

    Raises:
        Invalid: there are some.
    """
    if found := tuple(islice(faults, FAULTS_MAX + 1)):
        raise Invalid(*found)


class Misplaced(Invalid):
    """Its id is of a month for which there is no partition: an operator makes it, or it never was right."""

    def __init__(self) -> None:
        detail = "no partition holds ids of its month; `posthorn migrate` makes those of the coming ones"
        super().__init__(Fault("", "no_partition", detail))


class NotFound(PosthornError):
    """No such thing."""


class Conflict(PosthornError):
    """It exists already, or changed since the caller read it."""


class KeyReused(PosthornError):
    """The idempotency key was used for another command within its window."""


class InFlight(PosthornError):
    """The same idempotency key is being accepted by somebody else right now: of several, one of `keys`."""

    def __init__(self, said: str = "", *, keys: Iterable[UUID] = ()) -> None:
        super().__init__(said)
        self.keys = frozenset(keys)


class Overloaded(PosthornError):
    """No room: a bounded queue is full."""


class RenderingTimedOut(PosthornError):
    """Rendering was stopped at its deadline, or its process died of it.

    On a busy machine it may succeed later, so it is worth a few tries, never endless ones.
    """


class Unavailable(PosthornError):
    """A part the service stands on is away; the same call may succeed later."""


class StoreUnavailable(Unavailable):
    """The database is away."""


class BrokerUnavailable(Unavailable):
    """The broker is away, or did not confirm in time."""


class KeyUnavailable(Unavailable):
    """Data is sealed under a key that this process does not have: another one has it, or will."""


class Undecodable(PosthornError):
    """A message that nobody can read, now or later."""


class Misconfigured(PosthornError):
    """The configuration cannot work; the message names the key and what to do."""
