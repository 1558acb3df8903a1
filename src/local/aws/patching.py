"""Replaces functions of a pinned package: the version must be the one that was read, and the function must exist."""

from collections.abc import Callable
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

from shared.errors import BuaError

MINISTACK_VERSION = "1.5.33"

Function = TypeVar("Function", bound=Callable[..., Any])


class EmulatorChanged(BuaError):  # noqa: N818
    """ministack is not the version that the local stack's patches were written for: review the patches first."""


def require_version() -> None:
    """Refuse any version of ministack other than the one that the patches were written for."""
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
