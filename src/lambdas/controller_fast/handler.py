"""Controls execution of the BUA process: actions of at most three minutes."""

from shared.steps.controller import lambda_handler

__all__ = ["lambda_handler"]
