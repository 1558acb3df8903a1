"""Node groups on a stand-in for EKS, deployments on a small HTTPS server with a certificate of its own."""

import base64
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509

from local.aws.tls import Authority
from shared.aws import clients
from shared.aws.cluster import Cluster, ClusterRefused, ClusterUnavailable, Scale
from shared.errors import NotReady, ResourceFailed
from shared.steps import actions


class Api(BaseHTTPRequestHandler):
    """The scale subresource of deployments, as Kubernetes answers it."""

    replicas: dict[str, int]
    status: int
    seen: list[tuple[str, str | None, str | None]]

    def _answer(self) -> None:
        deployment = self.path.split("/")[-2]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, self.headers["Authorization"], self.headers["Content-Type"]))
        if body:
            self.replicas[deployment] = json.loads(body)["spec"]["replicas"]
        count = self.replicas[deployment]
        scale = {"spec": {"replicas": count} if count else {}, "status": {"replicas": count}}
        raw = json.dumps(scale).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

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
    handler = type("Handler", (Api,), {"replicas": {"workflow": 0, "meterdata": 0}, "status": 200, "seen": []})
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


class TestNodes:
    @pytest.mark.parametrize(("nodes", "largest"), [(1, 4), (10, 10), (0, 4)])
    def test_are_asked_for_and_waited_for(self, scaling, eks, nodes, largest):
        eks.group["scalingConfig"] = {"minSize": 2, "desiredSize": 2, "maxSize": 4}
        do(scaling, "scale.nodes", nodes=nodes)
        assert eks.group["scalingConfig"] == {"minSize": nodes, "desiredSize": nodes, "maxSize": largest}
        with pytest.raises(NotReady, match="UPDATING"):
            do(scaling, "scale.wait_for_nodes", nodes=nodes)
        eks.group["status"] = "ACTIVE"
        assert do(scaling, "scale.wait_for_nodes", nodes=nodes) == {"nodes": nodes}

    def test_that_are_there_already_are_left_alone(self, scaling, eks):
        do(scaling, "scale.nodes", nodes=0)
        assert eks.group["status"] == "ACTIVE"

    def test_a_degraded_group_fails_the_step(self, scaling, eks):
        eks.group["status"] = "DEGRADED"
        with pytest.raises(ResourceFailed, match="DEGRADED"):
            do(scaling, "scale.wait_for_nodes", nodes=0)


class TestPods:
    def test_are_scaled_and_waited_for(self, scaling, api):
        handler, _, _ = api
        handler.replicas["workflow"] = 3
        do(scaling, "scale.pods", deployments=["workflow", "meterdata"], replicas=0)
        assert handler.replicas == {"workflow": 0, "meterdata": 0}
        do(scaling, "scale.wait_for_pods", deployments=["workflow", "meterdata"], replicas=0)
        with pytest.raises(NotReady, match="meterdata has 0 of 8 replicas"):
            do(scaling, "scale.wait_for_pods", deployments=["meterdata"], replicas=8)

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
        assert Cluster(endpoint, authority, "token").scale("core", "workflow", 2) == Scale(2, 2)

    @pytest.mark.usefixtures("old_certificates")
    def test_scales_an_old_cluster_with_the_strictness_of_python_313(self, api, monkeypatch):
        create = ssl.create_default_context

        def create_strictly(**given):
            context = create(**given)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            return context

        monkeypatch.setattr(ssl, "create_default_context", create_strictly)
        _, endpoint, authority = api
        assert Cluster(endpoint, authority, "token").scale("core", "workflow", 2) == Scale(2, 2)

    def test_a_stranger_with_another_authority_is_not_trusted(self, api):
        _, endpoint, _ = api
        stranger = base64.b64encode(Authority.create().pem).decode()
        with pytest.raises(ClusterUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            Cluster(endpoint, stranger, "token").scale_of("core", "workflow")

    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, ClusterRefused), (404, ClusterRefused), (429, ClusterUnavailable), (503, ClusterUnavailable)],
    )
    def test_what_may_pass_is_told_from_what_does_not(self, api, status, error):
        handler, endpoint, authority = api
        handler.status = status
        with pytest.raises(error, match=str(status)):
            Cluster(endpoint, authority, "token").scale_of("core", "workflow")
