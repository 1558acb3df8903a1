"""Node groups on a stand-in for EKS, deployments on a small HTTPS server with a certificate of its own."""

import base64
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509

from local.aws.tls import Authority
from shared.aws import clients
from shared.aws.cluster import Cluster, ClusterRefused, ClusterUnavailable
from shared.errors import NobodyServes, NotReady, ResourceFailed
from shared.steps import actions
from shared.steps import scaling as scaling_module

NOW = datetime(2026, 11, 1, 2, 30, tzinfo=UTC)  # the context's
POD = {"metadata": {"name": "workflow-x", "creationTimestamp": "2026-11-01T02:20:00Z"}, "status": {"phase": "Pending"}}


class Api(BaseHTTPRequestHandler):
    """Deployments, pods and nodes, as Kubernetes answers: it leaves zeros out, and a pod exists before it is ready."""

    replicas: dict[str, int]
    available: dict[str, int]
    pods: list[dict[str, Any]]
    nodes: list[dict[str, Any]]
    conditions: list[dict[str, str]]
    observed: int
    status: int
    seen: list[tuple[str, str | None, str | None]]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, self.headers["Authorization"], self.headers["Content-Type"]))
        path = urllib.parse.urlsplit(self.path).path
        if body:
            self.replicas[path.split("/")[-2]] = json.loads(body)["spec"]["replicas"]
        if path.endswith("/pods"):
            found: dict[str, Any] = {"items": self.pods}
        elif path.endswith("/nodes"):
            found = {"items": self.nodes}
        else:
            found = self._deployment(path.removesuffix("/scale").split("/")[-1])
        raw = json.dumps(found).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _deployment(self, name: str) -> dict[str, Any]:
        count, available = self.replicas[name], self.available.get(name, 0)
        status: dict[str, Any] = {"observedGeneration": self.observed, "conditions": self.conditions}
        status |= {"replicas": count, "unavailableReplicas": count - available} if count else {}
        status |= {"readyReplicas": available, "availableReplicas": available} if available else {}
        selector = {"matchLabels": {"app": name}}
        spec = {"selector": selector} | ({"replicas": count} if count else {})
        return {"metadata": {"name": name, "generation": 7}, "spec": spec, "status": status}

    do_GET = do_PATCH = _answer  # noqa: N815 - names that http.server wants

    def log_message(self, *_arguments: Any) -> None:
        """Silence."""


@pytest.fixture
def old_certificates(monkeypatch):
    """Certificates without their authority's key identifier, as EKS made them before Kubernetes 1.17."""
    add = x509.CertificateBuilder.add_extension

    def add_extension(builder, extension, critical):
        return builder if isinstance(extension, x509.AuthorityKeyIdentifier) else add(builder, extension, critical)

    monkeypatch.setattr(x509.CertificateBuilder, "add_extension", add_extension)


@pytest.fixture
def api(tmp_path) -> Iterator[tuple[type[Api], str, str]]:
    """The server's handler class, its URL, and its authority as DescribeCluster gives it."""
    authority = Authority.create()
    handler = type("Handler", (Api,), {
        "replicas": {"workflow": 0, "meterdata": 0}, "available": {}, "pods": [], "nodes": [], "conditions": [],
        "observed": 7, "status": 200, "seen": [],
    })  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1").write(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"https://127.0.0.1:{server.server_port}", base64.b64encode(authority.pem).decode()
    server.shutdown()
    server.server_close()


@dataclass
class Eks:
    """One cluster with one node group."""

    endpoint: str
    authority: str
    group: dict[str, Any] = field(
        default_factory=lambda: {
            "nodegroupName": "tst-anstead-bua",
            "status": "ACTIVE",
            "scalingConfig": {"minSize": 0, "desiredSize": 0, "maxSize": 4},
        }
    )

    def describe_cluster(self, **_given: str) -> dict[str, Any]:
        return {"cluster": {"endpoint": self.endpoint, "certificateAuthority": {"data": self.authority}}}

    def describe_nodegroup(self, **_given: str) -> dict[str, Any]:
        return {"nodegroup": self.group}

    def update_nodegroup_config(self, **given: Any) -> None:
        scaling = given["scalingConfig"]
        assert scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]
        assert scaling["maxSize"] >= 1  # AWS refuses a largest size of 0
        self.group = self.group | {"status": "UPDATING", "scalingConfig": scaling}


@pytest.fixture
def eks(api) -> Eks:
    _, endpoint, authority = api
    return Eks(endpoint, authority)


@pytest.fixture
def scaling(context, eks):
    return replace(context, client=lambda service: eks if service == "eks" else clients.client(service))


def do(context, action: str, **given: Any):
    return actions.perform(context, {"action": action, "run_date": "2026-11-01", **given})


READY_NODE = {
    "status": {"conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}]}
}
JOINING_NODE = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
NO_CAPACITY = {
    "code": "AsgInstanceLaunchFailures",
    "message": "We currently do not have sufficient m7g.xlarge capacity",
}


class TestNodes:
    @pytest.mark.parametrize(("nodes", "largest"), [(1, 4), (10, 10), (0, 4)])
    def test_are_asked_for_and_waited_for(self, scaling, eks, api, nodes, largest):
        eks.group["scalingConfig"] = {"minSize": 2, "desiredSize": 2, "maxSize": 4}
        do(scaling, "scale.nodes", nodes=nodes)
        assert eks.group["scalingConfig"] == {"minSize": nodes, "desiredSize": nodes, "maxSize": largest}
        with pytest.raises(NotReady, match="UPDATING"):
            do(scaling, "scale.wait_for_nodes", nodes=nodes)
        eks.group["status"] = "ACTIVE"
        api[0].nodes = [READY_NODE] * nodes
        assert do(scaling, "scale.wait_for_nodes", nodes=nodes) == {"nodes": nodes}

    def test_that_have_not_joined_are_not_ready_although_the_group_is_active(self, scaling, eks, api):
        eks.group["scalingConfig"] = {"minSize": 2, "desiredSize": 2, "maxSize": 4}
        api[0].nodes = [READY_NODE, JOINING_NODE]
        with pytest.raises(NotReady, match="1 of 2 nodes of tst-anstead-bua are ready"):
            do(scaling, "scale.wait_for_nodes", nodes=2)
        assert urllib.parse.unquote(api[0].seen[-1][0]) == (
            "/api/v1/nodes?labelSelector=eks.amazonaws.com/nodegroup=tst-anstead-bua"
        )

    def test_that_aws_has_not_got_fail_the_step_with_its_cause(self, scaling, eks, api):
        eks.group |= {
            "scalingConfig": {"minSize": 2, "desiredSize": 2, "maxSize": 4},
            "health": {"issues": [NO_CAPACITY]},
        }
        api[0].nodes = [READY_NODE]
        with pytest.raises(
            ResourceFailed, match=r"1 of 2 nodes .* AsgInstanceLaunchFailures: .* sufficient m7g.xlarge"
        ):
            do(scaling, "scale.wait_for_nodes", nodes=2)
        api[0].nodes = [READY_NODE] * 2  # it found them after all
        assert do(scaling, "scale.wait_for_nodes", nodes=2) == {"nodes": 2}

    def test_that_are_there_already_are_left_alone(self, scaling, eks):
        do(scaling, "scale.nodes", nodes=0)
        assert eks.group["status"] == "ACTIVE"

    def test_a_degraded_group_fails_the_step(self, scaling, eks):
        eks.group["status"] = "DEGRADED"
        with pytest.raises(ResourceFailed, match="DEGRADED"):
            do(scaling, "scale.wait_for_nodes", nodes=0)


def container(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}, "restartCount": 0} | more


def pod(*containers: dict[str, Any], **status: Any) -> dict[str, Any]:
    """A pod that is ten minutes old."""
    return POD | {"status": {"phase": "Pending", "containerStatuses": list(containers)} | status}


def unscheduled(since: str) -> dict[str, Any]:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available",
    }
    return pod(conditions=[condition | {"lastTransitionTime": since}])


class TestPods:
    def test_are_scaled_and_waited_for_until_they_are_available(self, scaling, api):
        handler, _, _ = api
        handler.replicas["workflow"] = 3
        do(scaling, "scale.pods", deployments=["workflow", "meterdata"], replicas=0)
        assert handler.replicas == {"workflow": 0, "meterdata": 0}
        do(scaling, "scale.wait_for_pods", deployments=["workflow", "meterdata"], replicas=0)
        do(scaling, "scale.pods", deployments=["meterdata"], replicas=2)
        handler.pods = [pod(container("ContainerCreating"))] * 2  # they exist, and that is all
        with pytest.raises(NotReady, match=r"meterdata has 0 of 2 replicas ready and 2 pods\. .* ContainerCreating"):
            do(scaling, "scale.wait_for_pods", deployments=["meterdata"], replicas=2)
        handler.available["meterdata"] = 2
        do(scaling, "scale.wait_for_pods", deployments=["meterdata"], replicas=2)

    def test_of_which_the_controller_has_not_seen_the_change_are_not_ready(self, scaling, api):
        handler, _, _ = api
        handler.replicas["workflow"] = handler.available["workflow"] = 1
        handler.pods = [pod()]
        handler.observed = 6
        with pytest.raises(NotReady, match="0 of 1"):
            do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=1)

    def test_that_still_end_are_waited_for_those_that_were_evicted_are_not(self, scaling, api):
        handler, _, _ = api
        handler.pods = [pod(phase="Running"), pod(phase="Failed")]
        with pytest.raises(NotReady, match="0 replicas ready and 1 pods"):
            do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=0)
        handler.pods = [pod(phase="Failed")]
        do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=0)

    @pytest.mark.parametrize(
        ("given", "cause"),
        [
            (pod(container("ImagePullBackOff", "manifest unknown")), "workflow-x: ImagePullBackOff for 600 s: manifest unknown"),
            (pod(container("InvalidImageName")), "InvalidImageName"),
            (pod(initContainerStatuses=[container("CreateContainerConfigError", "secret not found")]), "secret not found"),
            (
                pod(container("CrashLoopBackOff", restartCount=6, lastState={"terminated": {"exitCode": 137}})),
                r"CrashLoopBackOff for 600 s:  \(restarted 6 times, last exit code 137\)",
            ),
            (unscheduled("2026-11-01T02:20:00Z"), "Unschedulable for 600 s: 0/1 nodes are available"),
        ],
    )  # fmt: skip
    def test_that_cannot_become_ready_fail_the_step_with_the_cause(self, scaling, api, given, cause):
        handler, _, _ = api
        handler.replicas["workflow"], handler.pods = 1, [given]
        with pytest.raises(ResourceFailed, match=cause):
            do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=1)
        # A step that waits for the platform's work sees the same.
        with pytest.raises(NobodyServes, match=cause):
            scaling_module.require_replicas(scaling, ["workflow"])

    @pytest.mark.parametrize("given", [
        unscheduled("2026-11-01T02:21:00Z"),
        pod(container("ErrImagePull", "timeout")),
        pod(container("CrashLoopBackOff")) | {"metadata": {"name": "x", "creationTimestamp": "2026-11-01T02:27:00Z"}},
    ])  # fmt: skip
    def test_that_may_yet_become_ready_are_waited_for(self, scaling, api, given):
        handler, _, _ = api
        handler.replicas["workflow"], handler.pods = 1, [given]
        with pytest.raises(NotReady):
            do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=1)
        scaling_module.require_replicas(scaling, ["workflow"])

    def test_that_a_quota_forbids_are_named_by_the_deployment(self, scaling, api):
        handler, _, _ = api
        handler.replicas["workflow"] = 1
        handler.conditions = [{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota",
            "lastTransitionTime": "2026-11-01T02:25:00Z",
        }]  # fmt: skip
        with pytest.raises(ResourceFailed, match="ReplicaFailure for 300 s: exceeded quota"):
            do(scaling, "scale.wait_for_pods", deployments=["workflow"], replicas=1)

    def test_that_nobody_asked_for_serve_nobody(self, scaling):
        with pytest.raises(NobodyServes, match="scaled to 0"):
            scaling_module.require_replicas(scaling, ["workflow"])

    def test_the_token_is_a_signed_question_to_sts_that_names_the_cluster(self, scaling, api):
        handler, _, _ = api
        do(scaling, "scale.pods", deployments=["workflow"], replicas=1)
        path, authorization, content_type = handler.seen[0]
        assert path == "/apis/apps/v1/namespaces/core/deployments/workflow/scale"
        assert content_type == "application/merge-patch+json"
        encoded = authorization.removeprefix("Bearer k8s-aws-v1.")
        url = urllib.parse.urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
        query = urllib.parse.parse_qs(url.query)
        assert url.hostname == "sts.ap-southeast-2.amazonaws.com"
        assert query["Action"] == ["GetCallerIdentity"]
        assert query["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]


class TestCluster:
    def test_scales(self, api):
        _, endpoint, authority = api
        Cluster(endpoint, authority, "token").scale("core", "workflow", 2)
        assert api[0].replicas["workflow"] == 2

    @pytest.mark.usefixtures("old_certificates")
    def test_scales_an_old_cluster_with_the_strictness_of_python_313(self, api, monkeypatch):
        create = ssl.create_default_context

        def create_strictly(**given):
            context = create(**given)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            return context

        monkeypatch.setattr(ssl, "create_default_context", create_strictly)
        _, endpoint, authority = api
        Cluster(endpoint, authority, "token").scale("core", "workflow", 2)
        assert api[0].replicas["workflow"] == 2

    def test_a_stranger_with_another_authority_is_not_trusted(self, api):
        _, endpoint, _ = api
        stranger = base64.b64encode(Authority.create().pem).decode()
        with pytest.raises(ClusterUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            Cluster(endpoint, stranger, "token").deployment("core", "workflow", NOW)

    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, ClusterRefused), (404, ClusterRefused), (429, ClusterUnavailable), (503, ClusterUnavailable)],
    )
    def test_what_may_pass_is_told_from_what_does_not(self, api, status, error):
        handler, endpoint, authority = api
        handler.status = status
        with pytest.raises(error, match=str(status)):
            Cluster(endpoint, authority, "token").deployment("core", "workflow", NOW)
