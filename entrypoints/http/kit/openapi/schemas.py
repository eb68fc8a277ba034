"""JSON schemas of structs, by msgspec: it knows what it decodes better than Litestar does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from litestar.openapi.spec import Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from domain.kernel.json_values import Json

_REF = "#/components/schemas/{name}"


class StructSchemas(OpenAPISchemaPlugin):
    """Litestar's plugin: gives references for structs, and collects what they lead to.

    Once a reference has been asked for, no other type is taken.
    """

    def __init__(self, *types: object) -> None:
        """Types that no handler names."""
        self._types: dict[Any, None] = dict.fromkeys(types)  # types of any form

    def add(self, types: Iterable[object]) -> None:
        """Take further types."""
        self._types.update(dict.fromkeys(types))

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        """Structs, also generic ones such as `Page[JobOut]`."""
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: object) -> Schema:  # noqa: ARG002  as Litestar has it
        """A placeholder that becomes the reference, once every type is known."""
        self._types[field_definition.annotation] = None
        return _Reference(annotation=field_definition.annotation, schemas=self)

    def reference(self, kind: object) -> dict[str, Json]:
        """Where the schema of a type stands."""
        return self._written[0][kind]

    @property
    def components(self) -> dict[str, Json]:
        """The schemas of all types that were taken, by name."""
        return self._written[1]

    @cached_property
    def _written(self) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:  # by type
        references, components = msgspec.json.schema_components(self._types, ref_template=_REF)
        return dict(zip(self._types, references, strict=True)), dict(sorted(components.items()))


@dataclass
class _Reference(Schema):
    annotation: Any = None  # any form of a type
    schemas: StructSchemas = field(default_factory=StructSchemas)

    def to_schema(self) -> dict[str, Json]:
        """Litestar calls this when every handler has been looked at."""
        return self.schemas.reference(self.annotation)


def query_parameters(wanted: type[msgspec.Struct]) -> list[dict[str, Json]]:
    """The fields of a struct as parameters of the query string."""
    (_,), components = msgspec.json.schema_components([wanted], ref_template="#/{name}")
    parameters = []
    for name, schema in components[wanted.__name__]["properties"].items():
        schema = _flat(schema, components)
        several = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
        text = schema.pop("description", None)
        described = {"description": text} if text else {}
        parameters.append({"name": name, "in": "query", **described, "schema": schema, **several})
    return parameters


def _flat(schema: dict[str, Json], components: dict[str, Json]) -> dict[str, Json]:
    """Without null, which no query string can say, and without references to the query's own parts."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        schema = {**options[0], **{k: v for k, v in schema.items() if k not in {"anyOf", "default"}}}
    if "$ref" in schema:
        schema = {"enum": components[schema["$ref"].removeprefix("#/")]["enum"]}
    if "items" in schema:
        schema = {**schema, "items": _flat(schema["items"], components)}
    return {name: value for name, value in schema.items() if not (name == "default" and value in (None, []))}
