"""Base class of every API endpoint, and decorators that describe endpoints in the schema.

A view set serves one kind of object. `list` and `retrieve` are REST framework's own; a method under
`writes` or `does` gets the object and the validated body.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, wraps
from http import HTTPStatus
from typing import Any, Protocol, TypedDict, TypeVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import MethodMapper, action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DynamicRoute, Route, SimpleRouter
from rest_framework.viewsets import GenericViewSet

from accounts import audit_log
from accounts.api import idempotency, paging, problems
from accounts.models import ApiToken, User

Handler = Callable[..., Any]
Body = type[serializers.Serializer[object]] | Mapping[str, type[serializers.Serializer[object]]]
"""What validates a body; by content type if it may have several, the first if it has none."""
View = TypeVar("View", bound="type[ApiViewSet]")

_READ_PROBLEMS = (400, 401, 403, 406, 429)
_WRITE_PROBLEMS = (*_READ_PROBLEMS, 409, 415, 422)
ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
"""The methods of an object's own URL."""
_KEY = OpenApiParameter(
    idempotency.HEADER,
    str,
    OpenApiParameter.HEADER,
    pattern=idempotency.PATTERN,
    description=(
        "A unique key for this request. A request repeated with the same key within a day is"
        " done once and gets the same response."
    ),
)


class WhoAndWhen(TypedDict):
    """The arguments that every service takes."""

    by: User
    now: datetime


class ViewSetAction(Protocol):
    """An additional GET of a view set. `mapping.post` adds a POST at the same URL."""

    mapping: MethodMapper

    def __call__(self, view: object, request: Request, pk: int) -> HttpResponseBase: ...


class ApiViewSet(GenericViewSet[Any]):
    """GET, POST, PATCH and DELETE. Authentication, permission and throttling are the defaults from
    settings.
    """

    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_converter = "int"
    pagination_class = paging.ByCursor
    query_class: type[serializers.Serializer[object]] = paging.PageQuery
    """Validates the query parameters."""
    recorded_as: str = ""
    """The action in the audit log under which it is recorded, once an hour for each token or
    person, that somebody reads its rows.
    """
    narrowed_by: Mapping[str, str] = {}
    """Query parameter → lookup. A list has only rows that match each parameter that is sent."""

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The validated query parameters. Raises ValidationError, also for an empty `?kind=`, which
        a form would take to mean all.
        """
        return _valid(self.query_class(data=self.request.query_params.dict()))

    @property
    def by(self) -> User:
        """The caller; the permission class has refused everybody else."""
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def who_and_when(self) -> WhoAndWhen:
        return {"by": self.by, "now": timezone.now()}

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self.recorded_as and request.method == "GET" and response.status_code == HTTPStatus.OK:
            self.record_reading(self.recorded_as)
        return super().finalize_response(request, response, *args, **kwargs)

    def record_reading(self, action: str) -> None:
        token = self.request.auth if isinstance(self.request.auth, ApiToken) else self.by
        start = {"from": self.asked.get("cursor", 0)}
        audit_log.record_reading(self.by, action, token, after=start, now=timezone.now())

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.filtered(queryset)

    def filtered(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of a list that match the query parameters."""
        lookups = self.narrowed_by
        asked = {lookups[name]: self.asked[name] for name in lookups if name in self.asked}
        return queryset.filter(**asked)

    def shown(self, objects: Sequence[Any]) -> Sequence[object]:
        """What the serializer reads for each object: the object itself, unless overridden."""
        return objects

    def get_serializer(self, instance: Any, *, many: bool = False) -> Any:
        rows = self.shown(instance if many else [instance])
        return self.serialized(rows if many else rows[0], many=many)

    def serialized(self, rows: object, *, many: bool = False) -> Any:
        """The serializer with what it reads, without `shown`."""
        context = self.get_serializer_context()
        return self.get_serializer_class()(rows, many=many, context=context)

    def page(
        self, rows: Any, *, shown: Callable[[Sequence[Any]], Sequence[object]] | None = None
    ) -> Response:
        """A page of `rows`, for lists other than the view set's own. `shown` takes the place of the
        view set's.
        """
        page_rows = self.paginate_queryset(rows) or []
        read = self.serialized((shown or self.shown)(page_rows), many=True)
        return self.get_paginated_response(read.data)

    def part(self, rows: Sequence[Any] | QuerySet[Any]) -> Response:
        """A page of `rows` in an order of their own: the cursor is a place in the list."""
        start = self.asked.get("cursor", 0)
        end = start + self.asked["limit"]
        n = rows.count() if isinstance(rows, QuerySet) else len(rows)
        cursor = end if end < n else None
        shown = self.get_serializer(rows[start:end], many=True).data
        return Response({"next_cursor": cursor, "results": shown})


class Router(SimpleRouter):
    """URLs `runs`, `runs/12` and `runs/12/stop`, with the names api_runs, api_run and api_run_stop
    that config.api_permissions.API_TABLE uses.
    """

    routes = [
        Route("{prefix}", {"get": "list", "post": "create"}, "{basename}s", False, {}),
        DynamicRoute("{prefix}/{url_path}", "{basename}_{url_name}", False, {}),
        Route("{prefix}/{lookup}", ONE, "{basename}", True, {}),
        DynamicRoute("{prefix}/{lookup}/{url_path}", "{basename}_{url_name}", True, {}),
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)


def sent(body: Body, request: Request) -> dict[str, object]:
    """The validated body; of a PATCH, only what it names. Raises ValidationError."""
    data = request.data  # refuses content types that have no parser
    if isinstance(body, Mapping):
        content_type = request.content_type.partition(";")[0].strip().lower()
        body = body.get(content_type, next(iter(body.values())))
    return _valid(body(data=data, partial=request.method == "PATCH"))


def _valid(serializer: serializers.Serializer[object]) -> dict[str, object]:
    if unknown := _unknown(serializer, serializer.initial_data):
        raise serializers.ValidationError({name: [sentence] for name, sentence in unknown.items()})
    serializer.is_valid(raise_exception=True)
    values: dict[str, object] = serializer.validated_data
    return values


def _unknown(field: object, data: object, path: str = "") -> dict[str, str]:
    """A sentence for each field that no serializer has: a misspelt `campaings` must not export
    everything.
    """
    problems: dict[str, str] = {}
    if isinstance(field, serializers.ListSerializer) and isinstance(data, list):
        for number, row in enumerate(data):
            problems |= _unknown(field.child, row, f"{path}{number}.")
    if isinstance(field, serializers.Serializer) and isinstance(data, Mapping):
        for name, value in data.items():
            if name in field.fields:
                problems |= _unknown(field.fields[name], value, f"{path}{name}.")
            else:
                sentence = _("There is no such field. There are: %(names)s.")
                problems[f"{path}{name}"] = sentence % {"names": ", ".join(field.fields)}
    return problems


def close_bodies(
    result: dict[str, dict[str, dict[str, dict[str, object]]]], **_options: object
) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    """Says in the schema that a body has no other fields. A hook of drf-spectacular."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and "properties" in schema:
            schema["additionalProperties"] = False
    return result


# --- describing -----------------------------------------------------------------------------------


def described(*, tag: str | None = None, **sentences: str) -> Callable[[View], View]:
    """Describes `list` and `retrieve` of a view set: `list_runs="…", read_run="…"`. The names
    become operation ids.
    """

    def describe(view: View) -> View:
        answer = view().get_serializer_class()
        for name, sentence in sentences.items():
            is_one = not name.startswith("list_")
            method = "retrieve" if is_one else "list"
            reading = _reading(
                name,
                answer if is_one else paging.page_of(answer),
                query=None if is_one else view.query_class,
                is_one=is_one,
                description=sentence,
                tags=[tag] if tag else None,
            )
            view = extend_schema_view(**{method: reading})(view)
        return view

    return describe


def reads(
    name: str, answer: Any, *, query: object = None, is_one: bool = True, **options: Any
) -> Callable[[Handler], ViewSetAction]:
    """An additional GET, at the method's name below the object. `answer`: a serializer, or a
    mapping from status to response.
    """
    if query is not None:
        options["query_class"] = query

    def decorate(handler: Handler) -> ViewSetAction:
        route = _route(handler, methods=["get"], detail=is_one, **options)
        described_so: ViewSetAction = _reading(name, answer, query=query, is_one=is_one)(route)
        return described_so

    return decorate


def lists(name: str, answer: Any, *, query: Any) -> Callable[[Handler], Handler]:
    """Describes a `list` whose response is not a cursor page."""
    answer = extend_schema_serializer(many=False)(answer)
    describe: Callable[[Handler], Handler] = _reading(name, answer, query=query, is_one=False)
    return describe


def _reading(name: str, answer: Any, *, query: Any, is_one: bool, **options: Any) -> Any:
    answers = answer if isinstance(answer, Mapping) else {200: answer}
    return extend_schema(
        operation_id=name,
        parameters=[query] if query else [],
        responses={
            **answers,
            **problems.described((*_READ_PROBLEMS, *((404, 409) if is_one else ()))),
        },
        **options,
    )


def writes(
    name: str,
    answer: Any,
    *,
    body: Body | None = None,
    status: int = 200,
    is_one: bool = False,
    is_remembered: bool = True,
    **route: object,
) -> Callable[[Handler], Handler]:
    """A POST that accepts an Idempotency-Key. The method gets the object (if `is_one`) and the
    body's values as keyword arguments. The response is what it returns or, if that is None, the
    object read again.

    On `partial_update` with `is_one`, it is a PATCH: fields that the call leaves out are not in the
    arguments.
    """
    statuses = (*_WRITE_PROBLEMS, *((404,) if is_one else ()))
    describe = extend_schema(
        operation_id=name,
        parameters=[_KEY],
        request=body,
        responses={status: answer, **problems.described(statuses)},
    )

    def decorate(act: Handler) -> Handler:
        @wraps(act)
        def handle(view: "ApiViewSet", request: Request, **_path: object) -> Response:
            values = sent(body, request) if body else {}
            made = act(view, *([view.get_object()] if is_one else []), **values)
            row = view.get_object() if made is None else made
            view.serializer_class = answer
            # `shown` is about the view set's own objects.
            is_own = answer is type(view).serializer_class
            read = view.get_serializer(row) if is_own else view.serialized(row)
            return Response(read.data, status=status)

        handler = idempotency.once(handle, is_remembered=is_remembered)
        described_so: Handler = describe(_route(handler, **route) if route else handler)
        return described_so

    return decorate


def does(
    name: str, answer: Any, *, is_one: bool = True, url_path: str | None = None, **options: Any
) -> Callable[[Handler], Handler]:
    """Like `writes`, at the method's name below the object."""
    options |= {"methods": ["post"], "detail": is_one, "url_path": url_path}
    return writes(name, answer, is_one=is_one, serializer_class=answer, **options)


def removes(name: str) -> Callable[[Handler], Handler]:
    """A DELETE, on `destroy`. The method gets the object; the response is empty."""
    refused = problems.described((*_READ_PROBLEMS, 404, 409))
    describe = extend_schema(operation_id=name, request=None, responses={204: None, **refused})

    def decorate(act: Handler) -> Handler:
        @wraps(act)
        def handle(view: "ApiViewSet", request: Request, **_path: object) -> Response:
            act(view, view.get_object())
            return Response(status=204)

        described_so: Handler = describe(handle)
        return described_so

    return decorate


def _route(handler: Handler, **options: Any) -> Handler:
    """Apply it before the schema decorator: `action` would replace the description."""
    route: Handler = action(url_name=handler.__name__, **options)(handler)
    return route
