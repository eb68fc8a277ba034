"""Load the settings: fill the structs from the sources; an error names key, source and what it takes."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect, structs

from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.registry import KINDS
from adapters.system import SystemClock
from config import values
from config.checks import cross_check
from config.content import SenderSettings
from config.listing import Setting, walk
from config.secret_sources import SecretSettings, blocking, of_configuration
from config.settings import Settings
from config.sources import ALIASES, PREFIX, Given, Tree, env_name, gather
from domain.kernel.errors import Misconfigured, SecretUnavailable
from domain.kernel.secret import Secret
from domain.kernel.text import on_one_line
from domain.secret.reference import secret_reference

S = TypeVar("S", bound=msgspec.Struct)

_QUOTED_MAX = 100
_FAULT_MAX = 600
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")
"""Names of providers, which stand in metrics, in lists and in rows."""


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and the source of each value that is not a default."""

    settings: Settings
    origins: dict[str, str]

    def listed(self) -> Iterator[Setting]:
        """All settings in the order of their sections."""
        return walk(self.settings, self.origins)


def load(
    environ: Mapping[str, str], *, path: Path | None = None, flags: Mapping[str, Given] | None = None
) -> Loaded:
    """Defaults < file < environment < `*_FILE` < flags.

    Raises:
        Misconfigured: the first thing that is wrong, in one line.
    """
    try:
        tree = gather(environ, path, flags or {})
        filler = _Filler(_secrets(tree, environ))
        settings = filler.section(Settings(), tree, "")
        _near_misses(environ)
        cross_check(settings)
    except Misconfigured as fault:
        raise Misconfigured(on_one_line(str(fault))[:_FAULT_MAX]) from None
    return Loaded(settings, filler.origins)


def _secrets(tree: Tree, environ: Mapping[str, str]) -> Callable[[str], str]:
    """What reads referenced secrets, as section `secrets` says.

    Raises:
        Misconfigured, SecretUnavailable.
    """
    clock = SystemClock()
    settings = SecretSettings()
    section = tree.get("secrets")
    if section is not None and not isinstance(section, Given):
        without_manager = blocking(of_configuration(settings, environ, clock))
        settings = _Filler(without_manager).section(settings, section, "secrets.")
    return blocking(of_configuration(settings, environ, clock))


class _Filler:
    def __init__(self, secret_text: Callable[[str], str]) -> None:
        """
        Args:
            secret_text: the secret that a reference names; raises SecretUnavailable.
        """
        self.origins: dict[str, str] = {}
        self._secret_text = secret_text

    def section(self, default: S, tree: Tree, at: str) -> S:
        """`default` with what the tree gives; `at` is empty or ends with a dot."""
        fields = {field.encode_name: field for field in structs.fields(default)}
        tag = {"kind"} if isinstance(default, ProviderSettings) else set()
        for name, given in tree.items():
            if name not in fields and name not in tag:
                raise _unknown(f"{at}{name}", given, [*fields, *tag], at)
        return structs.replace(
            default,
            **{
                field.name: self._field(field, getattr(default, field.name), tree[name], f"{at}{name}")
                for name, field in fields.items()
                if name in tree
            },
        )

    def _field(
        self,
        field: structs.FieldInfo,
        default: Any,  # of the field's type
        given: "Given | Tree",
        key: str,
    ) -> Any:  # the same
        if key == "providers":
            return default | {
                name: self._provider(default.get(name), each, f"{key}.{name}")
                for name, each in self._table(given, key).items()
            }
        if key == "senders":
            return {
                name: self.section(SenderSettings(), self._table(each, f"{key}.{name}"), f"{key}.{name}.")
                for name, each in self._table(given, key).items()
            }
        if isinstance(default, dict):
            return {
                _version(name, key): self._leaf(inspect.StrType(), each, f"{key}.{name}", secret=True)
                for name, each in self._table(given, key).items()
            }
        if isinstance(default, msgspec.Struct):
            return self.section(default, self._table(given, key), f"{key}.")
        return self._leaf(inspect.type_info(field.type), given, key)

    def _provider(
        self, default: ProviderSettings | None, given: "Given | Tree", key: str
    ) -> ProviderSettings:
        tree = self._table(given, key)
        if not _NAME.fullmatch(key.removeprefix("providers.")):
            raise Misconfigured(f"{key}: a provider's name has up to 50 letters, digits, - and _")
        kind, kinds = tree.get("kind"), inspect.LiteralType(tuple(KINDS))
        if kind is None:
            if default is None:
                wanted = values.expected(kinds)
                raise Misconfigured(f"{key}.kind is not set: say which kind it is, {wanted}")
        else:
            chosen = self._leaf(kinds, kind, f"{key}.kind")
            default = default if default and default.kind() == chosen else KINDS[chosen]()
        return self.section(default, tree, f"{key}.")

    def _leaf(
        self, kind: inspect.Type, given: "Given | Tree", key: str, *, secret: bool = False
    ) -> Any:  # as parse
        if not isinstance(given, Given):
            raise Misconfigured(f"{key} is one value, not a section: give {values.expected(kind)}")
        source, text = given.source, given.value
        if (secret or values.is_secret(kind)) and isinstance(text, str) and secret_reference(text):
            source = f"{source}: {text}"
            try:
                text = self._secret_text(text)
            except SecretUnavailable as fault:
                raise Misconfigured(f"{key} (from {given.source}): {fault}") from None
        try:
            value = values.parse(kind, text)
        except (ValueError, TypeError, OverflowError):
            quoted = "the value" if secret or values.is_secret(kind) else _quoted(given.value)
            wanted = values.expected(kind)
            hint = ": write / ? # @ in its user or password as %2F %3F %23 %40" if wanted == "a URL" else ""
            raise Misconfigured(f"{key} (from {source}): {quoted} is not {wanted}{hint}") from None
        self.origins[key] = source
        return Secret(value) if secret else value

    def _table(self, given: "Given | Tree", key: str) -> Tree:
        if isinstance(given, Given):
            raise Misconfigured(f"{key} (from {given.source}) is a section, not one value: give {key}.<name>")
        return given


def _quoted(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        return "the value"
    if "://" in text:  # somebody's URL, with a password perhaps
        return "the value"
    return text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}…"


def _version(name: str, key: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", name):
        raise Misconfigured(f"{key}.{name}: keys are numbered: {key}.1, {key}.2 and so on")
    return int(name)


def _unknown(key: str, given: "Given | Tree", siblings: list[str], at: str) -> Misconfigured:
    """An error that suggests the nearest name: of the same section first, then of any."""
    everything = [setting.key for setting in walk(Settings(), {})]
    last = key.rpartition(".")[2]
    near = [f"{at}{name}" for name in get_close_matches(last, siblings, 1, 0.5)]
    near = (
        near
        or get_close_matches(key, everything, 1, 0.5)
        or [name for name in everything if name.endswith(f".{last}")]
    )
    while not isinstance(given, Given):
        given = next(iter(given.values()))
    where = f" (from {given.source})"
    hint = (
        f"did you mean {near[0]}?"
        if near
        else f"`posthorn config show` lists all there are ({', '.join(siblings)})"
    )
    return Misconfigured(f"{key}{where} is not a setting: {hint}")


def _near_misses(environ: Mapping[str, str]) -> None:
    """Refuse POSTHORN_DB_URL, which is POSTHORN_DB__URL mistyped: it must not be ignored in silence.

    Raises:
        Misconfigured: there is such a variable.
    """
    if not any(name.startswith(PREFIX) for name in environ):
        return
    single = {env_name(setting.key).replace("__", "_"): setting.key for setting in walk(Settings(), {})}
    for name, value in environ.items():
        key = single.get(name.removesuffix("_FILE"))
        of_kubernetes = value.startswith(("tcp://", "udp://"))  # it sets such names for its services
        if key and "__" not in name and name not in ALIASES and not of_kubernetes:
            raise Misconfigured(f"{name} is not a setting: did you mean {env_name(key)} (two underscores)?")
