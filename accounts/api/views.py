"""The base class of every endpoint, and decorators that describe an endpoint in the schema."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import idempotency
from accounts.api.problems import ProblemSerializer
from accounts.models import User

View = TypeVar("View", bound=Callable[..., Any])

_READ_PROBLEMS = (400, 401, 403, 406, 429)
_WRITE_PROBLEMS = (*_READ_PROBLEMS, 409, 415, 422)
_KEY = OpenApiParameter(
    idempotency.HEADER,
    str,
    OpenApiParameter.HEADER,
    pattern=idempotency.PATTERN,
    description=(
        "Any name for this call. Sent again within a day with the same key, it is done once and"
        " answered the same."
    ),
)


class ApiView(APIView):
    """GET and POST only. Authentication, permission and limits are the defaults from the
    settings.
    """

    http_method_names = ["get", "head", "post"]


def person(request: Request) -> User:
    """The caller; the permission has already rejected everybody else."""
    assert isinstance(request.user, User)
    return request.user


def asked(query: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated query parameters. Raises ValidationError, also for an empty `?kind=`, which a
    form would read as no filter.
    """
    return _valid(query(data=request.query_params.dict()))


def sent(body: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body. Raises ValidationError."""
    return _valid(body(data=request.data))


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def reads(
    name: str, answer: Any, *, query: Any = None, is_one: bool = False, tag: str
) -> Callable[[View], View]:
    """Describes a GET, called `name` in generated clients. `is_one`: it returns one object, which
    may not exist.

    `answer`: a serializer, or serializers by status if there are several.
    """
    problems = dict.fromkeys((*_READ_PROBLEMS, *((404,) if is_one else ())), ProblemSerializer)
    answers = answer if isinstance(answer, dict) else {200: answer}
    return extend_schema(
        operation_id=name,
        parameters=[query] if query else [],
        responses={**answers, **problems},
        tags=[tag],
    )


def writes(
    name: str, answer: Any, *, body: Any = None, status: int = 200, is_one: bool = False, tag: str
) -> Callable[[View], View]:
    """Describes a POST that accepts an Idempotency-Key."""
    problems = dict.fromkeys((*_WRITE_PROBLEMS, *((404,) if is_one else ())), ProblemSerializer)
    return extend_schema(
        operation_id=name,
        parameters=[_KEY],
        request=body,
        responses={status: answer, **problems},
        tags=[tag],
    )
