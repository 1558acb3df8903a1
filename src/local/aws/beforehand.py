"""What exists in the two accounts before the accrual is deployed: production, a network, a zone, a cluster.

docs/deployment.md lists it for AWS. The local stack's own provisioning and Terraform in `make e2e` both build on this.
"""

import json
import secrets
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2

from local.aws import names
from shared.paths import ROOT

Clients = Callable[[str, str], Any]

PLATFORM_SQL = ROOT / "sql" / "platform"

_ANYBODY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def create_production(clients: Clients, production_dsn: Callable[[], str]) -> None:
    """EARL's production instance, with the billing platform's empty database."""
    password = secrets.token_urlsafe(16)
    clients("EARL", "rds").create_db_instance(
        DBInstanceIdentifier=names.PRODUCTION, Engine="postgres", EngineVersion="17.10", DBInstanceClass="db.r7g.large",
        AllocatedStorage=100, DBName=names.DATABASE, MasterUsername=names.MASTER, MasterUserPassword=password,
        StorageEncrypted=True, KmsKeyId="alias/aws/rds",
    )  # fmt: skip
    login = {"username": names.MASTER, "password": password}
    clients("EARL", "secretsmanager").create_secret(Name=names.PRODUCTION_SECRET, SecretString=json.dumps(login))
    with closing(psycopg2.connect(production_dsn())) as connection, connection.cursor() as cursor:
        for path in sorted(PLATFORM_SQL.glob("*.sql")):
            cursor.execute(path.read_text(encoding="utf-8"))
        connection.commit()


def create_interval_store(clients: Clients) -> None:
    """EARL's table of interval reads, which meterdata keeps."""
    create_table(clients("EARL", "dynamodb"), names.EARL_INTERVAL_TABLE, "pk", "sk")
    enable_recovery(clients("EARL", "dynamodb"), names.EARL_INTERVAL_TABLE)


def create_zone(clients: Clients) -> str:
    """ANSTEAD's private zone; returns its id."""
    route53 = clients("ANSTEAD", "route53")
    zone = route53.create_hosted_zone(
        Name=names.ZONE, CallerReference=names.ZONE, HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": names.REGION, "VPCId": vpc(clients)},
    )  # fmt: skip
    return str(zone["HostedZone"]["Id"]).removeprefix("/hostedzone/")


def create_cluster(clients: Clients) -> str:
    """ANSTEAD's cluster, without nodes; returns the ARN of its role."""
    eks = clients("ANSTEAD", "eks")
    role = create_role(clients("ANSTEAD", "iam"), names.role_name("ANSTEAD", "eks"), {"Service": "eks.amazonaws.com"})
    eks.create_cluster(name=names.EKS_CLUSTER, roleArn=role, resourcesVpcConfig={})
    return role


def vpc(clients: Clients) -> str:
    """ANSTEAD's VPC."""
    return str(clients("ANSTEAD", "ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def subnets(clients: Clients) -> list[str]:
    """ANSTEAD's subnets."""
    return [subnet["SubnetId"] for subnet in clients("ANSTEAD", "ec2").describe_subnets()["Subnets"]]


def create_table(dynamodb: Any, table: str, partition_key: str, sort_key: str) -> None:
    """A table with these text keys."""
    attributes = (partition_key, "HASH"), (sort_key, "RANGE")
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in attributes],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in attributes],
    )


def enable_recovery(dynamodb: Any, table: str) -> None:
    """Let a table be exported as of any later moment."""
    recovery = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)


def create_role(iam: Any, name: str, principal: dict[str, str]) -> str:
    """A role that may do everything and that `principal` may take; returns its ARN."""
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(_ANYBODY))
    return str(role["Role"]["Arn"])
