"""The OpenAPI 3.1 document, from the routes and what their handlers say of themselves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from entrypoints.http.alert import EVENTS, webhooks
from entrypoints.http.kit.openapi.operation import Doc
from entrypoints.http.kit.openapi.responses import problem_responses, responses
from entrypoints.http.kit.problems import Problem
from entrypoints.http.notification.bodies import KEY_MAX

_REF = "#/components/schemas/{name}"
_INFO = {
    "title": "Posthorn",
    "version": "1.0.0",
    "summary": "Tells a shop's customers what happened, and proves what became of each message.",
    "description": (
        "Every request but those under *Health* needs `Authorization: Bearer` and an API key. With a key "
        "`ph_test_…` everything happens but the provider is always the sandbox.\n\n"
        "Errors are problems (RFC 9457); their `type` leads to what to do about them. The API grows by "
        "addition: be ready for new members in answers. Unknown members in requests are refused."
    ),
}
_REQUEST_HEADERS = {
    "Idempotency-Key": "the same as `idempotencyKey` in the body",
    "traceparent": "W3C Trace Context: the caller's trace goes on here",
    "If-Match": "the `ETag` you have seen; required to change what exists (428, 412)",
    "If-None-Match": "`*`: create only",
}
_HEADER_SHAPES: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
}


def contract(app: Litestar) -> dict[str, Any]:
    """The document; routes that say nothing of themselves are left out."""
    found = list(_operations(app))
    docs = [doc for _, _, _, _, doc in found]
    refs, components = _schemas(docs)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, name, parameters, doc in sorted(found, key=lambda one: one[:2]):
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": name,
            "tags": [doc.tag],
            "summary": doc.summary,
            **({"description": doc.description} if doc.description else {}),
            "parameters": [*_path_parameters(parameters), *_query(doc), *_headers(doc)],
            **_request_body(doc, refs),
            "responses": responses(doc, refs),
            "security": [{"apiKey": []}] if doc.secured else [],
        }
    document: dict[str, Any] = _ecma(
        {
            "openapi": "3.1.0",
            "info": _INFO,
            "servers": [{"url": "/"}],
            "tags": [{"name": tag} for tag in dict.fromkeys(doc.tag for doc in docs)],
            "paths": paths,
            "webhooks": webhooks(refs),
            "components": {
                "schemas": dict(sorted(components.items())),
                "responses": problem_responses(docs, refs[Problem]),
                "securitySchemes": {
                    "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "ph_live_… or ph_test_…"}
                },
            },
        }
    )
    return document


def _ecma(value: Any) -> Any:
    """The same with patterns as JSON Schema has them (ECMA-262): there `$` is the end, and `\\Z` a letter."""
    match value:
        case {"pattern": str(pattern)} if pattern.endswith(r"\Z"):
            return value | {"pattern": pattern[:-2] + "$"}
        case dict():
            return {name: _ecma(each) for name, each in value.items()}
        case list():
            return [_ecma(each) for each in value]
        case _:
            return value


def _operations(app: Litestar) -> Iterable[tuple[str, str, str, Sequence[str], Doc]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            names = list(route.path_parameters)
            for handler in route.route_handlers:
                if isinstance(doc := handler.opt.get("doc"), Doc):
                    method = next(method for method in sorted(handler.http_methods) if method != "HEAD")
                    yield doc.path or route.path_format, method, handler.handler_name, names, doc


def _schemas(docs: Iterable[Doc]) -> tuple[dict[Any, Any], dict[str, Any]]:
    types: dict[Any, None] = dict.fromkeys((Problem, *EVENTS.values()))
    for doc in docs:
        returned = [kind for kind, _ in doc.returns.values()]
        types.update(dict.fromkeys(kind for kind in (doc.body, *returned) if kind is not None))
    refs, components = msgspec.json.schema_components(types, ref_template=_REF)
    return dict(zip(types, refs, strict=True)), dict(components)


_IN_PATH: dict[str, dict[str, Any]] = {
    "notification_id": {"type": "string", "format": "uuid"},
    "job_id": {"type": "string", "format": "uuid"},
    "version": {"type": "integer", "minimum": 1},
}


def _path_parameters(names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _IN_PATH.get(name, {"type": "string"})}
        for name in names
    ]


def _query(doc: Doc) -> list[dict[str, Any]]:
    if doc.query is None:
        return []
    (_,), components = msgspec.json.schema_components([doc.query], ref_template="#/{name}")
    described = components[doc.query.__name__]
    parameters = []
    for name, schema in described["properties"].items():
        schema = _flat(schema, components)
        several = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
        text = schema.pop("description", None)
        parameters.append(
            {"name": name, "in": "query", **({"description": text} if text else {}), "schema": schema}
            | several
        )
    return parameters


def _flat(schema: dict[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    """Without null, which no query string can say, and without references to the query's own parts."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if len(options) == 1:
        schema = {**options[0], **{k: v for k, v in schema.items() if k not in {"anyOf", "default"}}}
    if "$ref" in schema:
        schema = {"enum": components[schema["$ref"].removeprefix("#/")]["enum"]}
    if "items" in schema:
        schema = {**schema, "items": _flat(schema["items"], components)}
    return {name: value for name, value in schema.items() if not (name == "default" and value in (None, []))}


def _headers(doc: Doc) -> list[dict[str, Any]]:
    creates = "If-None-Match" in doc.headers
    return [
        {
            "name": name,
            "in": "header",
            "required": name == "If-Match" and not creates,
            "description": _REQUEST_HEADERS[name],
            "schema": _HEADER_SHAPES.get(name, {"type": "string"}),
        }
        for name in doc.headers
    ]


def _request_body(doc: Doc, refs: Mapping[Any, Any]) -> dict[str, Any]:
    if doc.body is None:
        return {}
    examples = {name: {"value": value} for name, value in doc.examples.items()}
    content = {"schema": refs[doc.body], **({"examples": examples} if examples else {})}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}
