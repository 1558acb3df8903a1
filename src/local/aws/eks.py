"""What ministack 1.5.33 lacks of EKS: a cluster that answers, node groups that scale, an environment for pods."""

# ruff: noqa: SLF001 - ministack's internals are what is patched here

import base64
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from ministack.core.concurrency import spawn_background  # type: ignore[import-untyped]
from ministack.core.responses import new_uuid  # type: ignore[import-untyped]
from ministack.services import eks  # type: ignore[import-untyped]

from local.aws import names
from local.aws.kubernetes import base_environment
from local.aws.patching import replaces

Response = tuple[int, dict[str, str], bytes]

_UPDATE_CONFIG = re.compile(r"/clusters/([^/]+)/node-groups/([^/]+)/update-config")
_UPDATE_SECONDS = 0.3
# A group is active when it knows its new size. Its nodes join the cluster later.
_JOIN_SECONDS = 0.5


def install(endpoint: str, authority: bytes) -> None:
    """Give clusters the Kubernetes stand-in at `endpoint`, and let node groups change their size."""
    create_cluster, handle = eks._create_cluster, eks.handle_request

    @replaces(eks, "_get_docker")
    def _no_docker() -> None:
        """Use the stand-in even if Docker is installed."""

    @replaces(eks, "_create_cluster")
    def _create(body: dict[str, Any], *arguments: Any, **keywords: Any) -> Response:
        response: Response = create_cluster(body, *arguments, **keywords)
        if response[0] == 200:
            cluster = eks._clusters[body["name"]]
            cluster["endpoint"] = endpoint
            cluster["certificateAuthority"] = {"data": base64.b64encode(authority).decode()}
        return response

    @replaces(eks, "handle_request")
    async def _handle(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Response:
        matched = _UPDATE_CONFIG.fullmatch(path)
        if not matched or method != "POST":
            response: Response = await handle(method, path, headers, body, query)
            return response
        return _update_nodegroup(matched[1], matched[2], json.loads(body))


def _update_nodegroup(cluster: str, name: str, body: Mapping[str, Any]) -> Response:
    group = eks._nodegroups.get(f"{cluster}/{name}")
    response: Response
    if not group:
        response = eks._error(404, "ResourceNotFoundException", f"No node group found for name: {name}.")
        return response
    scaling = group["scalingConfig"] | body.get("scalingConfig", {})
    if not 0 <= scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]:
        message = f"desired capacity {scaling['desiredSize']} is outside {scaling['minSize']} to {scaling['maxSize']}"
        response = eks._error(400, "InvalidParameterException", message)
        return response
    group.update(scalingConfig=scaling, status="UPDATING")
    spawn_background(_finish_update, group, thread_name=f"nodegroup-{name}")
    update = {
        "id": new_uuid(), "status": "InProgress", "type": "ConfigUpdate", "params": [], "createdAt": eks._now(),
        "errors": [],
    }  # fmt: skip
    response = eks._json_resp(200, {"update": update})
    return response


def _finish_update(group: dict[str, Any]) -> None:
    time.sleep(_UPDATE_SECONDS)
    group["status"] = "ACTIVE"
    time.sleep(_JOIN_SECONDS)
    _joined[group["nodegroupArn"]] = int(group["scalingConfig"]["desiredSize"])


# Nodes that have joined, by the ARN of their group.
_joined: dict[str, int] = {}


def node_count() -> int:
    """How many nodes of the accrual's node group have joined the cluster."""
    key = f"{names.EKS_CLUSTER}/{names.EKS_NODE_GROUP}"
    group = eks._nodegroups.get_scoped(names.ANSTEAD, names.REGION, key)
    return min(_joined.get(group["nodegroupArn"], 0), int(group["scalingConfig"]["desiredSize"])) if group else 0


class Surroundings:
    """What a pod needs: the database behind the DNS name, its own password, AWS."""

    def __init__(self, endpoint_url: str, authority_file: Path) -> None:
        self._endpoint_url = endpoint_url
        self._authority_file = authority_file
        session = boto3.Session(names.ANSTEAD, "local", region_name=names.REGION)
        self._route53 = session.client("route53", endpoint_url=endpoint_url)
        self._rds = session.client("rds", endpoint_url=endpoint_url)
        self._secrets = session.client("secretsmanager", endpoint_url=endpoint_url)

    def environment(self, service: str) -> dict[str, str] | None:
        """A service's environment variables; None while the name points to no database or the password is not set."""
        database, password = self._database(), self._password(service)
        if database is None or password is None:
            return None
        address, port = database
        return base_environment() | {
            "DATABASE_HOST": address, "DATABASE_PORT": str(port), "DATABASE_NAME": names.DATABASE,
            "DATABASE_USER": service, "DATABASE_PASSWORD": password,
            "PGHOSTADDR": "127.0.0.1", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(self._authority_file),
            "AWS_ENDPOINT_URL": self._endpoint_url, "AWS_DEFAULT_REGION": names.REGION, "AWS_REGION": names.REGION,
            "AWS_ACCESS_KEY_ID": names.ANSTEAD, "AWS_SECRET_ACCESS_KEY": "local",
            "BUCKET": names.BUCKET, "INTERVAL_TABLE": names.INTERVAL_TABLE,
        }  # fmt: skip

    def _database(self) -> tuple[str, int] | None:
        """Address and port of the instance to which the platform's DNS name points.

        The record contains an address. In the cloud a pod has the port in its configuration; here it is the port of the
        instance with this address.
        """
        for zone in self._route53.list_hosted_zones_by_name(DNSName=names.ZONE)["HostedZones"]:
            for record in self._route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
                if record["Name"].rstrip(".") == names.DATABASE_DNS_NAME:
                    return self._instance(record["ResourceRecords"][0]["Value"].rstrip("."))
        return None

    def _instance(self, address: str) -> tuple[str, int] | None:
        for instance in self._rds.describe_db_instances()["DBInstances"]:
            endpoint = instance["Endpoint"]
            if endpoint["Address"] == address:
                return address, int(endpoint["Port"])
        return None

    def _password(self, role: str) -> str | None:
        try:
            secret = self._secrets.get_secret_value(SecretId=f"{names.SECRET_PREFIX}-{role}")
        except self._secrets.exceptions.ResourceNotFoundException:
            return None
        return str(json.loads(secret["SecretString"])["password"])
