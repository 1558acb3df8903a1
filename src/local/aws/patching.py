"""Replacing functions of a package that is pinned: what is replaced must be there, under the version that was read."""

from collections.abc import Callable
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

from shared.errors import BuaError

MINISTACK_VERSION = "1.5.33"

Function = TypeVar("Function", bound=Callable[..., Any])


class EmulatorChanged(BuaError):  # noqa: N818
    """ministack is not the version that the local stack's patches were written for; read them again before you go on."""


def require_version() -> None:
    """Refuse any other version of ministack than the one whose internals the patches know."""
    installed = metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        raise EmulatorChanged(f"ministack {installed} is installed, the local stack patches {MINISTACK_VERSION}")


def replaces(owner: ModuleType | type, name: str) -> Callable[[Function], Function]:
    """Decorate the function that takes the place of `owner.name`, which must exist."""
    if not callable(getattr(owner, name, None)):
        raise EmulatorChanged(f"{owner.__name__} has no function {name} to replace")

    def replace(function: Function) -> Function:
        setattr(owner, name, function)
        return function

    return replace
