"""Where the files that are not Python are: beside the packages in a function's zip, at the project's root here."""

from pathlib import Path

from shared.errors import PermanentError


def _root() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (folder / "catalogue.yaml").is_file():
            return folder
    raise PermanentError("catalogue.yaml is in no folder above the package `shared`: every zip must contain it")


ROOT = _root()
