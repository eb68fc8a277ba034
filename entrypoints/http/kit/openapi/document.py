"""The OpenAPI 3.1 document of the routes: Litestar's, completed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler, Method
from litestar.types.internal_types import PathParameterDefinition

from entrypoints.http.kit.api import ApiRequest
from entrypoints.http.kit.openapi.declared import Declared, declared_by
from entrypoints.http.kit.openapi.schemas import StructSchemas, query_parameters
from entrypoints.http.problems.problem import Problem
from entrypoints.http.problems.responses import problem_references, problem_responses

Json = dict[str, Any]  # of the document
Webhooks = Callable[[Callable[[Any], Json]], Json]  # a type becomes a reference
"""The document's `webhooks`, given a function from a type to the reference of its schema."""

_DESCRIPTION = (
    "Every request but those under *Health* needs `Authorization: Bearer` and an API key. With a key "
    "`ph_test_…` everything happens but the provider is always the sandbox.\n\n"
    "Errors are problems (RFC 9457); their `type` leads to what to do about them. The API grows by "
    "addition: be ready for new members in answers. Unknown members in requests are refused."
)
_KEY = SecurityScheme(type="http", scheme="bearer", bearer_format="ph_live_… or ph_test_…")
_ORDER = {"path": 0, "query": 1, "header": 2}


def openapi_document(
    handlers: Sequence[ControllerRouterHandler],
    *,
    tags: Sequence[str],
    webhooks: Webhooks,
    webhook_bodies: Iterable[type],
) -> bytes:
    """As JSON; routes that declare nothing are left out."""
    schemas = StructSchemas(Problem, *webhook_bodies)
    app = Litestar(
        handlers,
        request_class=ApiRequest,
        openapi_config=_config(tags),
        plugins=[schemas],
        logging_config=None,
    )
    operations = sorted(_operations(app), key=lambda found: found[:2])
    schemas.add(declared.body for _, _, _, declared in operations if declared.body is not None)
    document = app.openapi_schema.to_schema()
    paths: dict[str, Json] = {}
    for path, method, handler, declared in operations:
        written = document["paths"][path][method]
        paths.setdefault(declared.path or path, {})[method] = _completed(written, handler, declared, schemas)
    responses = [operation["responses"] for item in paths.values() for operation in item.values()]
    document["paths"] = paths
    document["webhooks"] = webhooks(schemas.reference)
    document["components"] |= {
        "schemas": schemas.components,
        "responses": problem_responses(responses, schemas.reference(Problem)),
    }
    # Patterns end as JSON Schema has it: in ECMA-262 `$` is the end, and `\Z` a letter.
    return msgspec.json.encode(document).replace(rb'\\Z"', b'$"')


def _config(tags: Sequence[str]) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Posthorn",
        version="1.0.0",
        summary="Tells a shop's customers what happened, and proves what became of each message.",
        description=_DESCRIPTION,
        tags=[Tag(name) for name in tags],
        components=Components(security_schemes={"apiKey": _KEY}),
        operation_id_creator=_operation_id,
    )


def _operation_id(handler: HTTPRouteHandler, method: Method, _: list[str | PathParameterDefinition]) -> str:
    return f"{handler.handler_name}_head" if method == "HEAD" else handler.handler_name


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler, Declared]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.resolve_include_in_schema():
                    method = next(method for method in sorted(handler.http_methods) if method != "HEAD")
                    yield route.path_format, method.lower(), handler, declared_by(handler)


def _completed(written: Json, handler: HTTPRouteHandler, declared: Declared, schemas: StructSchemas) -> Json:
    """An operation as Litestar has written it, with what it cannot know."""
    signature = handler.parsed_fn_signature.parameters
    query = signature["params"].annotation if "params" in signature else declared.query
    body = written.get("requestBody")
    if declared.body is not None:
        content = {"application/json": {"schema": schemas.reference(declared.body)}}
        body = {"required": True, "content": content}
    if body and declared.examples:
        examples = {name: {"value": value} for name, value in declared.examples.items()}
        body["content"]["application/json"]["examples"] = examples
    answers = _answers(written["responses"], handler)
    parameters = [
        *_conditions(written.get("parameters", []), creates="201" in answers),
        *(query_parameters(query) if query else []),
        *declared.headers,
    ]
    path = next(iter(handler.paths))  # those that no handler names come in any order
    parameters.sort(
        key=lambda found: (
            _ORDER[found["in"]],
            path.find(f"{{{found['name']}") if found["in"] == "path" else 0,
        )
    )
    kinds = _kinds(handler, declared, secured="security" in written, body=body is not None)
    return {
        **written,
        "parameters": parameters,
        **({"requestBody": body} if body else {}),
        "responses": dict(sorted({**problem_references(kinds), **answers}.items())),
    }


def _kinds(handler: HTTPRouteHandler, declared: Declared, *, secured: bool, body: bool) -> set[str]:
    """The kinds of problems that an operation can end in."""
    kinds = {*declared.problems, "target-too-long", "head-too-large", "internal"}
    if secured:  # all of them read the query string
        kinds |= {"unauthorized", "unavailable", "malformed", "invalid"}
    if handler.resolve_guards():
        kinds |= {"forbidden"}
    if body:
        kinds |= {"malformed", "timeout", "too-large", "unsupported-media-type", "invalid"}
    return kinds


def _answers(written: Json, handler: HTTPRouteHandler) -> Json:
    """Those that the handler declares: Litestar adds a 400 of its own, and headers to one success only."""
    meant = {str(handler.status_code), *map(str, handler.responses or {})}
    answers = {status: answer for status, answer in written.items() if status in meant}
    headers = {
        header.name: {"description": header.description, "schema": {"type": "string"}}
        for header in sorted(handler.resolve_response_headers(), key=lambda header: header.name)
    }
    for status, answer in answers.items():
        answer.pop("headers", None)
        if status == "204":
            answer.pop("content", None)
        if headers and status[0] == "2":
            answer["headers"] = headers
    return answers


def _conditions(written: list[Json], *, creates: bool) -> Iterator[Json]:
    """What exists is changed with `If-Match`; only what may be created takes `If-None-Match`."""
    for parameter in written:
        if parameter["in"] == "header":  # each may be missing, but none is null
            parameter["schema"] = {"type": "string"}
        match parameter:
            case {"name": "If-Match"}:
                yield {**parameter, "required": not creates}
            case {"name": "If-None-Match"} if not creates:
                continue
            case {"schema": {"format": "uri"}}:  # Litestar's word for a path of several segments
                yield {**parameter, "schema": {"type": "string"}}
            case _:
                yield parameter
