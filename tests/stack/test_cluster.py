"""EKS in the emulator: DescribeCluster leads to the stand-in, tokens are put to STS, node groups change their size."""

import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from local.aws import names
from shared.aws import cluster
from shared.aws.cluster import Cluster, ClusterRefused

GROUP = {"clusterName": names.EKS_CLUSTER, "nodegroupName": names.EKS_NODE_GROUP}


def open_cluster(stack, account):
    session = stack.session(account)
    sts = session.client("sts", endpoint_url=stack.endpoint_url)
    described = stack.client("ANSTEAD", "eks").describe_cluster(name=names.EKS_CLUSTER)["cluster"]
    token = cluster.token(sts, session.get_credentials(), names.EKS_CLUSTER)
    return Cluster(described["endpoint"], described["certificateAuthority"]["data"], token)


def look(opened, name="workflow"):
    return opened.deployment(names.EKS_NAMESPACE, name, datetime.now(UTC))


def test_a_token_of_the_clusters_account_is_let_in(stack):
    found = look(open_cluster(stack, "ANSTEAD"))
    assert (found.wanted, found.available, found.pods) == (0, 0, 0)


def test_a_token_of_another_account_is_not(stack):
    with pytest.raises(ClusterRefused, match="401"):
        look(open_cluster(stack, "EARL"))


def test_pods_wait_for_nodes_and_for_a_database(stack):
    """No database is restored here, so even with a node the pods are not ready, and say so."""
    cluster, eks = open_cluster(stack, "ANSTEAD"), stack.client("ANSTEAD", "eks")
    cluster.scale(names.EKS_NAMESPACE, "workflow", 1)
    found = look(cluster)
    assert (found.wanted, found.available, found.pods) == (1, 0, 1)
    assert "Unschedulable" in found.why
    eks.update_nodegroup_config(**GROUP, scalingConfig={"minSize": 1, "desiredSize": 1})
    group = eks.describe_nodegroup(**GROUP)["nodegroup"]
    assert (group["status"], group["scalingConfig"]["desiredSize"]) == ("UPDATING", 1)
    while eks.describe_nodegroup(**GROUP)["nodegroup"]["status"] != "ACTIVE":
        time.sleep(0.05)
    assert cluster.ready_nodes(names.EKS_NODE_GROUP) == 0  # an active group is not a node
    while not cluster.ready_nodes(names.EKS_NODE_GROUP):
        time.sleep(0.05)
    found = look(cluster)
    assert (found.wanted, found.available, found.why[:12]) == (1, 0, "workflow-0: ")
    eks.update_nodegroup_config(**GROUP, scalingConfig={"minSize": 0, "desiredSize": 0})
    cluster.scale(names.EKS_NAMESPACE, "workflow", 0)
    assert look(cluster).wanted == 0


def test_a_node_group_keeps_to_its_bounds(stack):
    with pytest.raises(ClientError, match="outside 0 to 10"):
        stack.client("ANSTEAD", "eks").update_nodegroup_config(**GROUP, scalingConfig={"desiredSize": 11})
