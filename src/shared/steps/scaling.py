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
    """Raise NotReady until the node group has this number and so many nodes of it are ready in the cluster.

    An active group has been told its size; whether AWS has the machines is seen when they join. Raises ResourceFailed
    with the group's own cause when it has one.
    """
    group = _node_group(context)
    name, status = group["nodegroupName"], group["status"]
    issues = "; ".join(f"{issue['code']}: {issue['message']}" for issue in group.get("health", {}).get("issues", []))
    if status in ("DEGRADED", "CREATE_FAILED", "DELETE_FAILED"):
        raise ResourceFailed(f"node group {name} is {status}: {issues}")
    if status != "ACTIVE" or group["scalingConfig"]["desiredSize"] != request.nodes:
        raise NotReady(f"node group {name} is {status} at {group['scalingConfig']['desiredSize']} nodes")
    # Nodes that end are not waited for: a slow one must not stop the month.
    ready = _cluster(context).ready_nodes(name) if request.nodes else 0
    if ready < request.nodes:
        if issues:
            raise ResourceFailed(f"{ready} of {request.nodes} nodes of {name} are ready: {issues}")
        raise NotReady(f"{ready} of {request.nodes} nodes of {name} are ready")
    return {"nodes": request.nodes}


def scale_pods(context: Context, request: ScalePods) -> dict[str, Any]:
    """Set the number of replicas of each deployment."""
    cluster = _cluster(context)
    for deployment in request.deployments:
        cluster.scale(context.settings.eks_namespace, deployment, request.replicas)
    return {"deployments": list(request.deployments), "replicas": request.replicas}


def wait_for_pods(context: Context, request: ScalePods) -> dict[str, Any]:
    """Raise NotReady until each deployment has this number of available replicas, or at 0 no pod left.

    Raises ResourceFailed with Kubernetes' own cause when a pod is in a state that does not pass by itself.
    """
    cluster = _cluster(context)
    for name in request.deployments:
        found = cluster.deployment(context.settings.eks_namespace, name, context.now)
        if found.wanted == request.replicas == found.available == found.pods:
            continue
        missing = f"{name} has {found.available} of {request.replicas} replicas ready and {found.pods} pods"
        if request.replicas and found.is_stuck:
            raise ResourceFailed(f"{missing}: {found.why}")
        raise NotReady(f"{missing}. {found.why}".rstrip(". "))
    return {"deployments": list(request.deployments), "replicas": request.replicas}


def require_replicas(context: Context, services: Iterable[str]) -> None:
    """Raise NobodyServes when one of the services has no replica that is or may yet become ready.

    Otherwise the wait would never end.
    """
    cluster = _cluster(context)
    for service in services:
        found = cluster.deployment(context.settings.eks_namespace, service, context.now)
        if found.wanted == 0:
            raise NobodyServes(
                f"{service} is scaled to 0 replicas: run the step scaleup-{service}, then this one again"
            )
        if found.available == 0 and found.is_stuck:
            raise NobodyServes(f"none of {found.wanted} replicas of {service} is ready: {found.why}")


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
