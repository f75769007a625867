"""A function that runs only under a permit, whatever framework calls it.

    @guard(action="db.read", resource=lambda a: f"urn:acme:papers:{a['id']}")
    def read_paper(id: str) -> dict: ...

    with calling(point, presenter):
        read_paper("17")

Who calls is not a parameter of the function: an argument is what an injected text would set. It
is what `calling` says for this thread or task; where nobody is, nothing runs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar

from delegant.credentials import Evidence, Presentation, Request
from delegant.credentials.errors import error
from delegant.governance.enforcing import EnforcementPoint

from .results import counted

__all__ = ["Presenter", "calling", "guard"]

P = ParamSpec("P")
T = TypeVar("T")
Arguments = Mapping[str, Any]


class Presenter(Protocol):
    """Whoever can invoke a chain for a request: an agent's task."""

    def present(self, request: Request) -> tuple[Presentation, Evidence]:
        """A presentation of exactly this request, and the evidence for it."""
        ...


class _Caller(NamedTuple):
    point: EnforcementPoint
    presenter: Presenter


_caller: ContextVar[_Caller | None] = ContextVar("delegant_caller", default=None)


@contextmanager
def calling(point: EnforcementPoint, presenter: Presenter) -> Iterator[None]:
    """Guarded functions inside are called by this presenter, at this point."""
    token = _caller.set(_Caller(point, presenter))
    try:
        yield
    finally:
        _caller.reset(token)


def guard(
    *,
    action: str,
    resource: str | Callable[[Arguments], str],
    arguments: Iterable[str] = (),
    facts: Callable[[Arguments], dict[str, Any]] | None = None,
    count: Callable[[Any], dict[str, Any]] | None = None,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function run only under a permit for what it is about to do.

    Args:
        action: what it does. resource: on what, perhaps from the arguments.
        arguments: names of those that chains may limit.
        facts: further facts of the request, as ``{"rows": 10}``.
        count: what `Act.result` is told of a result; by default what `counted` finds.

    Raises:
        Error: from the function: ``holder-missing`` where nobody is `calling`, and what
            `EnforcementPoint.acting` raises.
    """
    named = tuple(arguments)

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)

        def asked(args: Any, kwargs: Any) -> tuple[_Caller, Request, Arguments]:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            caller = _caller.get()
            if caller is None:
                raise error("holder-missing", f"nobody is calling {function.__qualname__}")
            target = resource if isinstance(resource, str) else resource(given)
            more = {} if facts is None else facts(given)
            task = getattr(caller.presenter, "task", None)
            if task is not None:  # who calls says for which task, and signs it
                more = {"task": task, **more}
            if named:
                more = {"arguments": {name: given[name] for name in named}, **more}
            return caller, Request(action, target, **more), given

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
                caller, request, _ = asked(args, kwargs)
                shown, evidence = caller.presenter.present(request)
                async with caller.point.acting_async(shown, evidence, request) as act:
                    result = await function(*args, **kwargs)
                    act.result(**(count(result) if count else counted(result, act.limits)))
                return result

            return later  # type: ignore[return-value]

        @functools.wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> T:
            caller, request, _ = asked(args, kwargs)
            shown, evidence = caller.presenter.present(request)
            with caller.point.acting(shown, evidence, request) as act:
                result = function(*args, **kwargs)
                act.result(**(count(result) if count else counted(result, act.limits)))
            return result

        return now

    return decorate
