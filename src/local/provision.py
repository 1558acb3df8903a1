"""Creates in the emulator what Terraform creates in AWS: both accounts, from the same catalogue."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local import names

Clients = Callable[[str, str], Any]


@dataclass(frozen=True)
class Provisioned:
    """What others need to know of it."""

    hosted_zone_id: str = ""


def provision(clients: Clients, endpoint_url: str, authority: str) -> Provisioned:
    password = secrets.token_urlsafe(16)
    clients("EARL", "rds").create_db_instance(
        DBInstanceIdentifier=names.PRODUCTION, Engine="postgres", EngineVersion="17.10", DBInstanceClass="db.r6g.large",
        AllocatedStorage=100, DBName=names.DATABASE, MasterUsername=names.MASTER, MasterUserPassword=password,
        StorageEncrypted=True, KmsKeyId="alias/aws/rds",
    )  # fmt: skip
    clients("EARL", "secretsmanager").create_secret(
        Name=names.PRODUCTION_SECRET, SecretString=json.dumps({"username": names.MASTER, "password": password})
    )
    return Provisioned()
