"""JSON bodies: decoded at once by msgspec; what it refuses is read again to tell every fault."""

import json
import math
from collections.abc import Generator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.dto.data_structures import DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from domain.kernel.errors import Fault, Invalid, hold
from domain.kernel.json_values import DEPTH_MAX, needs_value_check, value_faults
from domain.kernel.number import number
from entrypoints.http.kit.faults import shape_faults
from entrypoints.http.problems.problem import Rejected

if TYPE_CHECKING:  # no part of Litestar's public modules
    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.dto._backend import DTOBackend

EMPTY = "the body is empty: send a JSON object"

T = TypeVar("T")


class JsonBody(Generic[T]):
    """Decodes one type of body."""

    def __init__(self, wanted: type[T]) -> None:
        self.wanted = wanted
        self._decode = msgspec.json.Decoder(wanted, float_hook=number).decode

    def decode(self, body: bytes) -> T:
        """A body as a struct.

        Raises:
            Rejected: not JSON.
            Invalid: with every fault.
        """
        try:
            value = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as refusal:
            self._explain(body, str(refusal))
        if needs_value_check(body):
            hold(value_faults(plain(body)))
        return value

    def _explain(self, body: bytes, refusal: str) -> NoReturn:
        hold(shape_faults(plain(body), self.wanted))
        raise Invalid(Fault("", "bad_value", refusal))


class JsonData(AbstractDTO[msgspec.Struct]):
    """How Litestar decodes `data`: strictly, and with every fault.

    Its own way is lax (`"5"` is a number to it), loses decimals, and stops at the first fault.
    """

    _bodies: ClassVar[dict[str, JsonBody[Any]]] = {}
    """By the id of the handler."""

    @classmethod
    def create_for_field_definition(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        backend_cls: "type[DTOBackend] | None" = None,  # noqa: ARG003  as Litestar has it
    ) -> None:
        """Called once for each handler that takes `data`."""
        cls._bodies[handler_id] = JsonBody(field_definition.annotation)

    def decode_bytes(self, value: bytes) -> Any:
        """The body as what `data` is annotated with.

        Raises:
            Rejected, Invalid: see `JsonBody.decode`.
        """
        return self._bodies[self.asgi_connection.route_handler.handler_id].decode(value)

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003  as Litestar has it
        schema_creator: "SchemaCreator",
    ) -> Reference | Schema:
        """The schema of the struct itself."""
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(
        cls,
        model_type: type[Any],  # noqa: ARG003  as Litestar has it
    ) -> Generator[DTOFieldDefinition, None, None]:
        """Nothing: structs are decoded whole."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003  as Litestar has it
        """Never: structs are decoded whole."""
        return False


def plain(body: bytes) -> Any:
    """The body as plain values, lone surrogates and overflowing numbers included, for faults to point at.

    Raises:
        Rejected: not JSON.
        Invalid: nested beyond reason.
    """
    if not body:
        raise Rejected("malformed", EMPTY)
    try:
        return json.loads(body.decode(), parse_float=_fraction, parse_int=_integer, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise Rejected("malformed", f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Rejected("malformed", f"the body is not JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise Invalid(Fault("", "too_deep", f"more than {DEPTH_MAX} levels")) from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 1_000 else math.inf  # Python reads no longer ones, nor does msgspec


def _fraction(digits: str) -> float | Decimal:
    try:
        return number(digits)
    except msgspec.ValidationError:
        return math.inf


def _constant(name: str) -> NoReturn:
    raise Rejected("malformed", f"the body is not JSON: {name} is no JSON value")
