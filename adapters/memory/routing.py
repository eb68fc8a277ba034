"""How exchanges route, by the definitions that RabbitMQ loads: topic, fan-out, alternate exchanges."""

import re
from collections.abc import Mapping, Sequence

from domain.kernel.json_values import Json

Definitions = Mapping[str, Sequence[Mapping[str, Json]]]


class Routes:
    """The exchanges and bindings of one set of definitions, and the policies of its queues."""

    def __init__(self, definitions: Definitions) -> None:
        self._exchanges = {exchange["name"]: exchange for exchange in definitions["exchanges"]}
        self._bindings: dict[str, list[Mapping[str, Json]]] = {name: [] for name in self._exchanges}
        for binding in definitions["bindings"]:
            self._bindings[binding["source"]].append(binding)
        self._policies = sorted(definitions["policies"], key=lambda policy: -int(policy["priority"]))

    def bind(self, exchange: str, queue: str, key: str) -> None:
        """Let an exchange reach a queue, once."""
        binding = {"source": exchange, "destination": queue, "destination_type": "queue", "routing_key": key}
        known = self._bindings[exchange]
        if not any((each["destination"], each["routing_key"]) == (queue, key) for each in known):
            self._bindings[exchange].append(binding)

    def queues(self, exchange: str, key: str) -> set[str]:
        """Names of the queues that a message reaches, each once.

        Raises:
            KeyError: no such exchange.
        """
        reached: set[str] = set()
        seen: set[str] = set()
        waiting = [exchange]
        words = key.split(".")
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            chosen = [
                binding
                for binding in self._bindings[name]
                if self._exchanges[name]["type"] == "fanout"
                or matches(binding["routing_key"].split("."), words)
            ]
            reached.update(b["destination"] for b in chosen if b["destination_type"] == "queue")
            waiting += [b["destination"] for b in chosen if b["destination_type"] == "exchange"]
            alternate = self._exchanges[name]["arguments"].get("alternate-exchange")
            if not chosen and alternate:
                waiting.append(alternate)
        return reached

    def policy(self, queue: str) -> Mapping[str, Json]:
        """What the policy of highest priority says about a queue; empty when none does."""
        for policy in self._policies:
            if re.search(policy["pattern"], queue):
                definition: Mapping[str, Json] = policy["definition"]
                return definition
        return {}


def matches(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Match a topic: `*` is one word, `#` any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(matches(pattern[1:], words[at:]) for at in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and matches(pattern[1:], words[1:])
