"""Where ministack 1.5.33's DynamoDB is too slow for a portfolio of interval reads (60,000 items and more).

Measured on 365 items per site: a query parses its key condition again for every item (196 us per item, 84 us when
cached), an import from S3 checks every item as a single PutItem would (140 us per item, 10 us without).
"""

# ruff: noqa: SLF001 - ministack's internals are what is patched here

import threading
from functools import lru_cache
from typing import Any

from ministack.services import dynamodb  # type: ignore[import-untyped]

from local.aws.patching import replaces

EXPRESSIONS = 1024  # different texts of expressions that are cached


def _parse_expressions_once() -> None:
    """Cache parsed expressions: both functions depend only on the text, and no caller changes their result."""
    for name in ("_tokenize", "_condition_syntax_error"):
        replaces(dynamodb, name)(lru_cache(EXPRESSIONS)(getattr(dynamodb, name)))


def _import_without_single_puts() -> None:
    """Let an import set its items directly; their keys are checked, their sizes and nesting are not."""
    run_import, put_item = dynamodb._run_import, dynamodb._put_item
    importing = threading.local()

    @replaces(dynamodb, "_run_import")
    def _run(*arguments: Any) -> None:
        importing.now = True
        try:
            run_import(*arguments)
        finally:
            importing.now = False

    @replaces(dynamodb, "_put_item")
    def _put(data: dict[str, Any]) -> Any:
        if not getattr(importing, "now", False):
            return put_item(data)
        table, item = dynamodb._tables[data["TableName"]], data["Item"]
        partition, sort, error = dynamodb._resolve_table_key_values(table, item, allow_extra=True)
        if error:
            return error
        dynamodb._set_item(table, partition, sort, item)
        return 200, {}, b""


def install() -> None:
    """Speed up queries and imports."""
    _parse_expressions_once()
    _import_without_single_puts()
