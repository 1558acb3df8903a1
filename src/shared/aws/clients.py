"""AWS clients, created once per function instance: the first call of each costs tens of milliseconds."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Standard mode backs off with jitter; otherwise hundreds of functions that start at once are throttled.
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=5, read_timeout=60)


@cache
def client(service: str) -> Any:
    """A client of the function's own account and region."""
    return boto3.client(service, config=_CONFIG)


def credentials() -> Any:
    """The function's own credentials."""
    return boto3.Session().get_credentials()


def client_as(service: str, role_arn: str, session_name: str) -> Any:
    """A client of another account, through a role there; its credentials are renewed every hour."""
    return _assumed(service, role_arn, session_name)


@cache
def _assumed(service: str, role_arn: str, session_name: str) -> Any:
    from botocore.credentials import DeferredRefreshableCredentials  # noqa: PLC0415 - needed by one function only
    from botocore.session import get_session  # noqa: PLC0415

    def renew() -> dict[str, str]:
        response = client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name)
        granted = response["Credentials"]
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }

    session = get_session()
    # botocore has no public way to put renewing credentials into a session; its own assume-role provider does the same.
    session._credentials = DeferredRefreshableCredentials(renew, "assume-role")  # type: ignore[attr-defined]  # noqa: SLF001
    return boto3.Session(botocore_session=session).client(service, config=_CONFIG)
