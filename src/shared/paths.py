"""Where the files that are not Python lie: beside the packages in a function's zip, at the root of the project here."""

from pathlib import Path

from shared.errors import PermanentError


def _root() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (folder / "catalogue.yaml").is_file():
            return folder
    raise PermanentError("catalogue.yaml is in no folder above the package `shared`: it belongs into every zip")


ROOT = _root()
