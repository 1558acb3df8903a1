"""bua-scaleup-workflow, bua-scaleup-meterdata, bua-scaledown: node group and replicas."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from shared.aws import clients, cluster
from shared.context import Context
from shared.errors import NobodyServes, NotReady, ResourceFailed
from shared.steps.requests import RunRequest

_BUSY = ("ResourceInUseException", "InvalidRequestException")


class ScaleNodes(RunRequest):
    """scale.nodes and scale.wait_for_nodes"""

    nodes: int = Field(ge=0)


class ScalePods(RunRequest):
    """scale.pods and scale.wait_for_pods"""

    deployments: tuple[str, ...]
    replicas: int = Field(ge=0)


def scale_nodes(context: Context, request: ScaleNodes) -> dict[str, Any]:
    """Set the number of nodes. Raises NotReady while the group is still changing."""
    eks = context.client("eks")
    group = _node_group(context)
    known = group["scalingConfig"]
    if known["desiredSize"] == request.nodes and known["minSize"] == request.nodes:
        return {"nodes": request.nodes}
    # Also minSize: otherwise the cluster's autoscaler could remove the nodes.
    wanted = {
        "minSize": request.nodes,
        "desiredSize": request.nodes,
        "maxSize": max(request.nodes, known["maxSize"], 1),
    }
    try:
        eks.update_nodegroup_config(
            clusterName=context.settings.eks_cluster,
            nodegroupName=context.settings.eks_node_group,
            scalingConfig=wanted,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _BUSY:
            raise NotReady(f"node group {context.settings.eks_node_group}: {error}") from error
        raise
    return {"nodes": request.nodes}


def wait_for_nodes(context: Context, request: ScaleNodes) -> dict[str, Any]:
    """Raise NotReady until the node group is active with this number of nodes."""
    group = _node_group(context)
    name, status = group["nodegroupName"], group["status"]
    if status in ("DEGRADED", "CREATE_FAILED", "DELETE_FAILED"):
        raise ResourceFailed(f"node group {name} is {status}: {group.get('health', {}).get('issues')}")
    if status != "ACTIVE" or group["scalingConfig"]["desiredSize"] != request.nodes:
        raise NotReady(f"node group {name} is {status} at {group['scalingConfig']['desiredSize']} nodes")
    return {"nodes": request.nodes}


def scale_pods(context: Context, request: ScalePods) -> dict[str, Any]:
    """Set the number of replicas of each deployment."""
    cluster = _cluster(context)
    for deployment in request.deployments:
        cluster.scale(context.settings.eks_namespace, deployment, request.replicas)
    return {"deployments": list(request.deployments), "replicas": request.replicas}


def wait_for_pods(context: Context, request: ScalePods) -> dict[str, Any]:
    """Raise NotReady until each deployment has exactly this number of replicas."""
    cluster = _cluster(context)
    for deployment in request.deployments:
        scale = cluster.scale_of(context.settings.eks_namespace, deployment)
        if scale.existing != request.replicas:
            raise NotReady(f"{deployment} has {scale.existing} of {request.replicas} replicas")
    return {"deployments": list(request.deployments), "replicas": request.replicas}


def require_replicas(context: Context, services: Iterable[str]) -> None:
    """Raise NobodyServes when one of the services has 0 replicas: the wait would never end."""
    cluster = _cluster(context)
    for service in services:
        if cluster.scale_of(context.settings.eks_namespace, service).wanted == 0:
            raise NobodyServes(
                f"{service} is scaled to 0 replicas: run the step scaleup-{service}, then this one again"
            )


def _node_group(context: Context) -> dict[str, Any]:
    response = context.client("eks").describe_nodegroup(
        clusterName=context.settings.eks_cluster, nodegroupName=context.settings.eks_node_group
    )
    group: dict[str, Any] = response["nodegroup"]
    return group


def _cluster(context: Context) -> cluster.Cluster:
    name = context.settings.eks_cluster
    described = context.client("eks").describe_cluster(name=name)["cluster"]
    token = cluster.token(context.client("sts"), clients.credentials(), name)
    return cluster.Cluster(described["endpoint"], described["certificateAuthority"]["data"], token)
