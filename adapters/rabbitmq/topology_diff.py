"""The differences between the described topology and a broker's, in words for an operator.  Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from adapters.rabbitmq.topology import SHARED, Definitions
from domain.kernel.json_values import Json

APPLY = "run posthorn topology apply"
ENABLE = "by hand: enable the broker's plugin that brings it, then run posthorn topology apply"
BUILT_IN = frozenset({"direct", "fanout", "headers", "topic"})
REPLACE = "immutable: move its messages away, delete it, then run posthorn topology apply"
LIMITS = ("max-length", "max-length-bytes", "message-ttl", "expires")
Item = Mapping[str, Json]


class BrokerState(msgspec.Struct, frozen=True, kw_only=True):
    """One virtual host, as the management API shows it."""

    exchanges: Sequence[Item]
    queues: Sequence[Item]
    bindings: Sequence[Item]
    policies: Sequence[Item]
    operator_policies: Sequence[Item]
    nodes: int
    exchange_types: frozenset[str] = BUILT_IN


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as described."""

    subject: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem} ({self.mend})"


def differences(described: Definitions, found: BrokerState, replicas: int = 3) -> list[Difference]:
    """All of them; empty when the broker is as described.

    Args:
        replicas: members that a queue should have, where the cluster has so many nodes.
    """
    members = min(replicas, found.nodes)
    return [
        *(
            Difference(f"exchange type {kind}", "is not known to the broker", ENABLE)
            for kind in sorted(_kinds(described) - found.exchange_types)
        ),
        *_objects("exchange", described["exchanges"], found.exchanges, ("type", "durable", "internal")),
        *_objects("queue", described["queues"], found.queues, ("durable",)),
        *_members(described["queues"], found.queues, members),
        *_bindings(described["bindings"], found.bindings),
        *(
            Difference(_binding_name(binding), "should not be there", APPLY)
            for binding in extra_bindings(described, found.bindings)
        ),
        *_policies(described["policies"], found.policies),
        *_displaced(described, found),
    ]


def possible(described: Definitions, found: BrokerState) -> Definitions:
    """The description without exchanges whose type the broker does not know, and their bindings."""
    strange = {item["name"] for item in described["exchanges"] if item["type"] not in found.exchange_types}
    return {
        **described,
        "exchanges": [item for item in described["exchanges"] if item["name"] not in strange],
        "bindings": [item for item in described["bindings"] if item["source"] not in strange],
    }


def missing(kind: str, described: Definitions, found: BrokerState) -> list[Item]:
    """The objects of a kind that must be made; of policies also those to be set anew.

    An object of the right name with other arguments is not among them: it is never replaced.
    """
    there: Sequence[Item] = getattr(found, kind)
    match kind:
        case "bindings":
            known = {_identity(item) for item in there}
            return [item for item in described[kind] if _identity(item) not in known]
        case "policies":
            changed = {difference.subject for difference in _policies(described[kind], there)}
            return [item for item in described[kind] if f"policy {item['name']}" in changed]
        case _:
            names = {item["name"] for item in there}
            return [item for item in described[kind] if item["name"] not in names]


def extra_bindings(described: Definitions, found: Sequence[Item]) -> list[Item]:
    """Bindings of our own exchanges that are not described: they duplicate or misroute messages.

    Bindings to lanes that are not described are left: they belong to channels of another configuration.
    """
    known = {_identity(binding) for binding in described["bindings"]}
    ours = {exchange["name"] for exchange in described["exchanges"]} - SHARED
    names = {item["name"] for kind in ("queues", "exchanges") for item in described[kind]}
    return [
        binding
        for binding in found
        if binding["source"] in ours
        and _identity(binding) not in known
        and (binding["destination"] in names or not binding["destination"].startswith("deliver."))
    ]


def _kinds(described: Definitions) -> frozenset[str]:
    return frozenset(exchange["type"] for exchange in described["exchanges"])


def _objects(
    kind: str, described: Sequence[Item], found: Sequence[Item], properties: Sequence[str]
) -> Iterator[Difference]:
    by_name = {item["name"]: item for item in found}
    for wanted in described:
        subject = f"{kind} {wanted['name']}"
        there = by_name.get(wanted["name"])
        if there is None:
            yield Difference(subject, "is missing", APPLY)
            continue
        for name in properties:
            if there.get(name) != wanted.get(name):
                yield Difference(subject, f"{name} is {there.get(name)}, not {wanted.get(name)}", REPLACE)
        yield from _arguments(subject, wanted["arguments"], there["arguments"])


def _arguments(subject: str, wanted: Item, there: Item) -> Iterator[Difference]:
    for name in sorted(wanted.keys() | there.keys()):
        if name not in there:
            yield Difference(subject, f"lacks argument {name} = {wanted[name]}", REPLACE)
        elif name not in wanted:
            yield Difference(subject, f"has an argument too many: {name} = {there[name]}", REPLACE)
        elif there[name] != wanted[name]:
            yield Difference(subject, f"argument {name} is {there[name]}, not {wanted[name]}", REPLACE)


def _members(described: Sequence[Item], found: Sequence[Item], expected: int) -> Iterator[Difference]:
    names = {queue["name"] for queue in described}
    for queue in found:
        count = len(queue.get("members") or ())
        if queue["name"] in names and count < expected:
            grow = "rabbitmq-queues grow NODE all, for each node without one"
            yield Difference(
                f"queue {queue['name']}", f"has {count} replicas, not {expected}", f"by hand: {grow}"
            )


def _bindings(described: Sequence[Item], found: Sequence[Item]) -> Iterator[Difference]:
    there = {_identity(binding) for binding in found}
    for binding in described:
        if _identity(binding) not in there:
            yield Difference(_binding_name(binding), "is missing", APPLY)


def _policies(described: Sequence[Item], found: Sequence[Item]) -> Iterator[Difference]:
    by_name = {policy["name"]: policy for policy in found}
    for wanted in described:
        subject = f"policy {wanted['name']}"
        there = by_name.get(wanted["name"])
        if there is None:
            yield Difference(subject, "is missing", APPLY)
            continue
        for name in ("pattern", "apply-to", "priority"):
            if there[name] != wanted[name]:
                yield Difference(subject, f"{name} is {there[name]}, not {wanted[name]}", APPLY)
        for key in sorted(wanted["definition"].keys() | there["definition"].keys()):
            ours, theirs = wanted["definition"].get(key), there["definition"].get(key)
            if ours != theirs:
                yield Difference(subject, f"{key} is {_shown(theirs)}, not {_shown(ours)}", APPLY)


def _displaced(described: Definitions, found: BrokerState) -> Iterator[Difference]:
    """Of all policies that match a queue the one of highest priority applies alone; operators' are added."""
    for queue in described["queues"]:
        subject = f"queue {queue['name']}"
        ours = _winner(queue["name"], described["policies"])
        rival = _winner(queue["name"], found.policies)
        if ours and rival and rival["name"] != ours["name"]:
            problem = f"policy {rival['name']} of priority {rival['priority']} displaces {ours['name']}"
            yield Difference(subject, problem, f"by hand: lower the priority of {rival['name']}")
        limit = _winner(queue["name"], found.operator_policies)
        for key in LIMITS:
            if limit and key in limit["definition"]:
                problem = f"operator policy {limit['name']} sets {key}: messages would be lost or stopped"
                yield Difference(subject, problem, f"by hand: exempt the queue from {limit['name']}")


def _winner(queue: str, policies: Sequence[Item]) -> Item | None:
    matching = [
        policy
        for policy in policies
        if policy["apply-to"] in ("queues", "quorum_queues", "all") and _matches(policy["pattern"], queue)
    ]
    return max(matching, key=lambda policy: policy["priority"], default=None)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False  # Erlang's dialect has more; such a pattern is nobody's but the operator's


def _identity(binding: Item) -> tuple[Json, ...]:
    return (
        binding["source"],
        binding["destination_type"],
        binding["destination"],
        binding["routing_key"],
        tuple(sorted(binding["arguments"].items())),
    )


def _binding_name(binding: Item) -> str:
    by = f" by {binding['routing_key']}" if binding["routing_key"] else ""
    return f"binding {binding['source']} -> {binding['destination_type']} {binding['destination']}{by}"


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)
