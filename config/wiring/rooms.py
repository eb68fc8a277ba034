"""How rooms of the composition root are nested, so that type checkers follow.

A room is a container of its own.  `needs` declares the rooms whose providers it uses, `room` puts it into the
container of the process; both stand for the container itself, whose providers keep their types.
"""

from typing import TypeVar, cast

from dependency_injector import containers, providers

Room = TypeVar("Room", bound=containers.DeclarativeContainer)


def needs(kind: type[Room]) -> Room:  # noqa: ARG001  it gives the type
    """Another room, which the container of the process hands over."""
    return cast("Room", providers.DependenciesContainer())


def room(kind: type[Room], **given: object) -> Room:
    """A room inside the container of the process.

    Args:
        given: what it declares with `needs` or as `Dependency`, by name.
    """
    return cast("Room", providers.Container(kind, **given))
