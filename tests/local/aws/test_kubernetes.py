"""The Kubernetes stand-in: pods follow replicas and nodes; only EKS tokens of the cluster's account are let in."""

import base64
import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from local.aws import kubernetes
from local.aws.kubernetes import Authenticator, Cluster, Deployment, Server, Unauthorized
from local.aws.tls import Authority

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
)


class World:
    """A cluster with one Deployment, and what surrounds it."""

    def __init__(self, tmp_path, command=SLEEP, most=2):
        self.nodes = 1
        self.environment = {"SERVICE": "web"}
        self.web = Deployment("web", command, most)
        self.cluster = Cluster({("ns", "web"): self.web}, lambda: self.nodes, lambda _: self.environment, tmp_path)

    def scale(self, replicas):
        """Ask for replicas and let the control loop pass once."""
        self.cluster.scale(self.web, replicas)
        self.cluster.reconcile()

    @property
    def processes(self):
        return [process for process in self.web.processes if process.poll() is None]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(kubernetes, "_READY_SECONDS", 0.0)
    made = World(tmp_path)
    yield made
    made.cluster.stop()


def test_pods_need_replicas_and_nodes(world):
    world.nodes = 0
    world.scale(1)
    assert world.processes == []
    assert world.web.ready() == 0
    world.nodes = 1
    world.cluster.reconcile()
    assert len(world.processes) == 1
    assert world.web.ready() == 1
    world.nodes = 0
    world.cluster.reconcile()
    assert world.processes == []


def test_a_machine_runs_few_of_many_replicas_and_counts_them_as_all(world):
    world.scale(8)
    assert len(world.processes) == 2
    assert world.web.ready() == 8
    world.scale(0)
    assert world.processes == []
    assert world.web.ready() == 0


def test_a_pod_that_dies_is_replaced(world):
    world.scale(1)
    (dead,) = world.processes
    dead.kill()
    dead.wait()
    assert world.web.ready() == 0
    world.cluster.reconcile()
    assert len(world.processes) == 1
    assert world.processes[0].pid != dead.pid


def test_a_pod_waits_for_its_surroundings(world):
    world.environment = None
    world.scale(1)
    assert world.processes == []
    world.environment = {}
    world.cluster.reconcile()
    assert len(world.processes) == 1


def test_the_loop_outlives_errors_and_ends_with_its_pods(world, monkeypatch):
    monkeypatch.setattr(kubernetes, "_RECONCILE_SECONDS", 0.01)
    looks = iter([ZeroDivisionError, ZeroDivisionError])

    def count():
        if error := next(looks, None):
            raise error
        return 1

    world.cluster.node_count = count
    world.web.replicas = 1
    world.cluster.start()
    while not world.processes:
        time.sleep(0.01)
    world.cluster.stop()
    assert world.processes == []


def test_a_pod_that_ignores_sigterm_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(kubernetes, "_TERMINATION_GRACE_SECONDS", 0.2)
    world = World(tmp_path, STUBBORN)
    world.scale(1)
    while not (tmp_path / "web.log").read_text():
        time.sleep(0.01)
    (process,) = world.processes
    world.scale(0)
    assert process.returncode == -9


# --- the API


@contextmanager
def serving(world, authority, directory, accepts="arn:aws:sts::222222222222:assumed-role/x/y"):
    class Check(Authenticator):
        def _caller(self, _url):
            return accepts

    certificate, key = authority.issue("127.0.0.1").write(directory)
    server = Server(0, certificate, key, world.cluster, Check("k", "222222222222", "http://sts"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def call(server, authority, method, path, *, body=None, token="k8s-aws-v1.aHR0cDovL3N0cw"):
    request = urllib.request.Request(
        f"https://127.0.0.1:{server.port}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    context = ssl.create_default_context(cadata=authority.pem.decode())
    try:
        with urllib.request.urlopen(request, context=context) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_scale_subresource(world, tmp_path):
    authority = Authority.create()
    path = "/apis/apps/v1/namespaces/ns/deployments/web"
    with serving(world, authority, tmp_path) as server:
        assert call(server, authority, "GET", f"{path}/scale")[1]["spec"] == {"replicas": 0}
        status, scale = call(server, authority, "PATCH", f"{path}/scale", body={"spec": {"replicas": 1}})
        # The pod exists at once, and is ready when the controller has seen it and it runs.
        assert (status, scale["spec"], scale["status"]) == (200, {"replicas": 1}, {"replicas": 1})
        deployment = call(server, authority, "GET", path)[1]
        assert (deployment["metadata"]["generation"], deployment["status"]["observedGeneration"]) == (2, 1)
        assert deployment["status"]["readyReplicas"] == 0
        world.cluster.reconcile()
        deployment = call(server, authority, "GET", path)[1]
        assert (deployment["status"]["observedGeneration"], deployment["status"]["availableReplicas"]) == (2, 1)
        assert call(server, authority, "PATCH", f"{path}/scale", body={"spec": {"replicas": -1}})[0] == 422
        assert call(server, authority, "PATCH", path, body={"spec": {"replicas": 0}})[0] == 404
        assert call(server, authority, "GET", path.replace("web", "db") + "/scale")[0] == 404
        assert call(server, authority, "GET", f"{path}/scale", token="junk")[0] == 401
    with serving(world, authority, tmp_path, accepts="arn:aws:iam::111111111111:root") as server:
        assert call(server, authority, "GET", f"{path}/scale")[0] == 401


def test_pods_and_nodes_say_what_is_wrong(world, tmp_path):
    authority = Authority.create()
    pods, nodes = (
        "/api/v1/namespaces/ns/pods?labelSelector=app%3Dweb",
        "/api/v1/nodes?labelSelector=eks.amazonaws.com%2Fnodegroup%3Dx",
    )
    with serving(world, authority, tmp_path) as server:
        world.nodes = 0
        world.scale(1)
        assert call(server, authority, "GET", nodes)[1]["items"] == []
        (pod,) = call(server, authority, "GET", pods)[1]["items"]
        assert pod["status"]["conditions"][0]["reason"] == "Unschedulable"
        world.nodes = 1
        world.web.command = (sys.executable, "-c", "raise SystemExit(3)")
        while not world.web.restarts:
            world.cluster.reconcile()
            time.sleep(0.01)
        world.environment = None  # no other attempt
        while world.processes:
            world.cluster.reconcile()
        world.cluster.reconcile()
        (pod,) = call(server, authority, "GET", pods)[1]["items"]
        (container,) = pod["status"]["containerStatuses"]
        assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
        assert container["lastState"]["terminated"]["exitCode"] == 3
        assert len(call(server, authority, "GET", nodes)[1]["items"]) == 1


def token_of(url):
    return "Bearer k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("Bearer secret", "does not begin"),
        ("Bearer k8s-aws-v1.\N{SNOWMAN}", "not base64"),
        (token_of("http://elsewhere/?Action=GetCallerIdentity"), "not a request to STS"),
        (token_of("http://sts/?Action=AssumeRole&X-Amz-SignedHeaders=host;x-k8s-aws-id"), "not a GetCallerIdentity"),
        (token_of("http://sts/?Action=GetCallerIdentity&X-Amz-SignedHeaders=host"), "signed for a cluster"),
    ],
)
def test_tokens_that_eks_would_not_take(authorization, message):
    with pytest.raises(Unauthorized, match=message):
        Authenticator("k", "222222222222", "http://sts").check(authorization)
