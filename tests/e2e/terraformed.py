"""Fills the emulator's two accounts by `terraform apply` of the roots, instead of the local stack's own provisioning.

What has to exist beforehand (docs/deployment.md) is made here by hand: production's database and interval store, the
VPC's parts, the private zone, the cluster. Everything else is Terraform's.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from artifacts.zips import host_target
from local.aws import names
from local.aws.beforehand import (
    Clients,
    create_cluster,
    create_interval_store,
    create_production,
    create_zone,
    subnets,
    vpc,
)
from local.provision import MOST_CONCURRENCY, MOST_ITEMS_PER_MESSAGE, MOST_TIMEOUT_SECONDS, TICK_SECONDS, Provision
from shared.paths import ROOT

# The provider talks to the emulator; state stays in the work directory. Buckets have no host names there.
OVERRIDE = """
terraform {
  backend "local" {}
}

provider "aws" {
  s3_use_path_style = true
}
"""


# ministack 1.5.33 accepts these and does not give them back, so that every plan finds them missing.
MISREPORTED = {
    "aws_cloudwatch_metric_alarm": {
        "actions_enabled", "alarm_actions", "ok_actions", "alarm_description", "dimensions", "period", "statistic",
        "treat_missing_data",
    },
    "aws_sfn_state_machine": {"tracing_configuration"},
    "aws_eks_node_group": {"launch_template"},
}  # fmt: skip


class TerraformFailed(Exception):  # noqa: N818
    """Terraform ended with an error; its output is above."""


class Terraform:
    """The two roots, in a copy of the tree that the emulator's override lies in."""

    def __init__(self, work: Path, mirror: str | None) -> None:
        self._work = work = work.resolve()  # Terraform runs in another directory
        self._mirror = mirror
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        for name in ("modules", "terraform", "statemachines"):
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        shutil.copy(ROOT / "catalogue.yaml", work)
        # A copy: somebody may build anew meanwhile, which a plan would rightly notice.
        self.zips = shutil.copytree(host_target().directory, work / "zips", ignore=shutil.ignore_patterns(".*"))

    def apply(self, account: str, endpoint_url: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Initialise and apply a root; returns its outputs."""
        root = self._root(account)
        (root / "emulator_override.tf").write_text(OVERRIDE, encoding="utf-8")
        (root / "emulator.auto.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        plugins = [f"-plugin-dir={self._mirror}"] if self._mirror else []
        self._run(account, endpoint_url, "init", "-no-color", *plugins)
        # A queue takes 25 seconds to settle, whatever else is done meanwhile.
        self._run(account, endpoint_url, "apply", "-no-color", "-auto-approve", "-parallelism=30")
        outputs = json.loads(self._run(account, endpoint_url, "output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def drift(self, account: str, endpoint_url: str) -> list[str]:
        """What a plan would change after all, but for what the emulator misreports."""
        plan = self._work / f"{account.lower()}.tfplan"
        self._run(account, endpoint_url, "plan", "-no-color", f"-out={plan}", "-lock=false")
        changes = json.loads(self._run(account, endpoint_url, "show", "-json", str(plan)))["resource_changes"]
        found = []
        for change in changes:
            if change["change"]["actions"] in (["no-op"], ["read"]):
                continue
            before, after = change["change"]["before"] or {}, change["change"]["after"] or {}
            # What only AWS can know is null in a plan.
            differing = {name for name, value in after.items() if value is not None and value != before.get(name)}
            if not after or differing - MISREPORTED.get(change["type"], set()):
                found.append(f"{change['address']}: {', '.join(sorted(differing))}")
        return found

    def states(self) -> list[Path]:
        """The state files of both roots."""
        return [self._root(account) / "terraform.tfstate" for account in names.ACCOUNTS]

    def left(self) -> list[str]:
        """Resources that are still in a state."""
        return [
            f"{resource['type']}.{resource['name']}"
            for state in self.states()
            for resource in json.loads(state.read_text(encoding="utf-8"))["resources"]
            if resource["mode"] == "managed"
        ]

    def destroy(self, account: str, endpoint_url: str) -> None:
        """Destroy a root."""
        self._run(account, endpoint_url, "destroy", "-no-color", "-auto-approve", "-parallelism=30")

    def _root(self, account: str) -> Path:
        return self._work / "terraform" / account.lower()

    def _run(self, account: str, endpoint_url: str, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment |= {
            "AWS_ACCESS_KEY_ID": names.ACCOUNTS[account], "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": endpoint_url, "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": names.REGION,
            "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0",
        }  # fmt: skip
        title = f"terraform {arguments[0]} of {account}"
        log = self._work / f"{account.lower()}-{arguments[0]}.log"
        with (
            log.open("w", encoding="utf-8") as errors,
            Console(highlight=False).status(f"{title} ...") as status,
            subprocess.Popen(
                ["terraform", f"-chdir={self._root(account)}", *arguments],
                env=environment, stdout=subprocess.PIPE, stderr=errors, text=True,
            ) as running,
        ):  # fmt: skip
            output, finished = [], 0
            for line in running.stdout or ():
                output.append(line)
                finished += " complete after " in line
                status.update(f"{title}: {finished} resources")
        if running.returncode:
            sys.stderr.write(log.read_text(encoding="utf-8")[-6000:])
            raise TerraformFailed(title)
        if arguments[0] in ("apply", "destroy"):
            print(account, *[line.strip() for line in output if "complete! Resources" in line])
        return "".join(output)


def provisioning(terraform: Terraform) -> Provision:
    """What the local stack is to be filled by: Terraform."""

    def provision_by_terraform(
        clients: Clients, endpoint_url: str, authority: str, production_dsn: Callable[[], str]
    ) -> None:
        beforehand = _beforehand(clients, production_dsn)
        key = clients("EARL", "kms").create_key()["KeyMetadata"]["Arn"]
        earl = terraform.apply("EARL", endpoint_url, {
            "environment": names.ENVIRONMENT, "account_id": names.EARL, "anstead_account_id": names.ANSTEAD,
            "production_key_arn": key,
        })  # fmt: skip
        terraform.apply("ANSTEAD", endpoint_url, {
            **beforehand, "environment": names.ENVIRONMENT, "account_id": names.ANSTEAD,
            "earl_account_id": names.EARL, "earl_shared_key_arn": earl["shared_key_arn"],
            "zip_folder": str(terraform.zips.resolve()), "sqs_endpoint": endpoint_url,
            "tick_seconds": TICK_SECONDS, "most_items_per_message": MOST_ITEMS_PER_MESSAGE,
            "most_timeout_seconds": MOST_TIMEOUT_SECONDS, "concurrency_cap": MOST_CONCURRENCY, "enable_protection": False,
            "allocated_storage_gb": 0, "iops": 0, "storage_throughput": 0,
        })  # fmt: skip
        clients("ANSTEAD", "secretsmanager").put_secret_value(
            SecretId=f"{names.SECRET_PREFIX}-ca", SecretString=authority
        )

    return provision_by_terraform


def _beforehand(clients: Clients, production_dsn: Callable[[], str]) -> dict[str, Any]:
    """What exists before Terraform; returns ANSTEAD's variables that name it."""
    create_production(clients, production_dsn)
    create_interval_store(clients)
    create_cluster(clients)
    for name in ("2000-01-01", "2000-01-01-shared"):  # of a month that is closed: EARL's machine forgets them
        clients("EARL", "rds").create_db_snapshot(
            DBInstanceIdentifier=names.PRODUCTION, DBSnapshotIdentifier=f"{names.PRODUCTION}-bua-{name}"
        )
    network = vpc(clients)
    group = clients("ANSTEAD", "ec2").create_security_group(
        GroupName="cluster", Description="the cluster's own", VpcId=network
    )
    return {
        "vpc_id": network, "private_subnet_ids": subnets(clients), "hosted_zone_id": create_zone(clients),
        "cluster_security_group_id": group["GroupId"],
    }  # fmt: skip
