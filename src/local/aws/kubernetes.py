"""The EKS cluster: an HTTPS stand-in for the Kubernetes API whose pods are processes of this machine.

It serves what the accrual uses: a Deployment, its scale and its pods, the nodes, and the bearer token that EKS understands
(a signed GetCallerIdentity request, put to the emulator's STS here). Pods exist as soon as a Deployment wants replicas,
run when its node group has nodes, and are ready a moment later; a step that forgets to wait for one of these leaves the
platform's work undone, as it would in the cloud.
"""

import base64
import json
import logging
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from shared.errors import BuaError

_log = logging.getLogger("local.aws.kubernetes")

_PATH = re.compile(r"/apis/apps/v1/namespaces/(?P<namespace>[^/]+)/deployments/(?P<name>[^/]+)(?P<scale>/scale)?$")
_PODS = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods$")
_NODE_LABEL = "eks.amazonaws.com/nodegroup"
_TOKEN_PREFIX = "k8s-aws-v1."  # noqa: S105 - what every EKS token begins with
_RECONCILE_SECONDS = 0.5
_TERMINATION_GRACE_SECONDS = 10.0
_READY_SECONDS = 0.5  # a pod that runs for so long is ready


class Unauthorized(BuaError):  # noqa: N818
    """The bearer token is not one that EKS would accept."""


@dataclass
class Deployment:
    """A Deployment and its pods. At most `most_processes` of the replicas are run on this machine."""

    name: str
    command: tuple[str, ...]
    most_processes: int
    replicas: int = 0
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    generation: int = 1
    observed_generation: int = 1
    restarts: int = 0
    last_exit_code: int = 0
    scaled_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: dict[int, float] = field(default_factory=dict)

    def started(self, process: "subprocess.Popen[bytes]") -> None:
        self.processes.append(process)
        self._started[process.pid] = time.monotonic()

    def ready(self) -> int:
        """How many pods are ready; replicas beyond the processes of this machine count as ready when all processes are."""
        up = sum(
            process.poll() is None and time.monotonic() - self._started[process.pid] >= _READY_SECONDS
            for process in self.processes
        )
        return self.replicas if up >= min(self.replicas, self.most_processes) and self.replicas else up


@dataclass
class Cluster:
    """The control loop: keeps as many processes of each Deployment as its replicas and its nodes allow."""

    deployments: dict[tuple[str, str], Deployment]
    node_count: Callable[[], int]
    pod_environment: Callable[[str], Mapping[str, str] | None]  # None while something it needs is not there yet
    log_directory: Path
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, daemon=True, name="kubernetes")
        self._thread.start()

    def _loop(self) -> None:
        while not self._stopped.wait(_RECONCILE_SECONDS):
            try:
                self.reconcile()
            except Exception:  # noqa: BLE001 - a control loop outlives every error
                _log.exception("the control loop goes on after an error")

    def scale(self, deployment: Deployment, replicas: int) -> None:
        """Record what is wanted; the control loop sees to it later."""
        if replicas != deployment.replicas:
            deployment.replicas = replicas
            deployment.generation += 1
            deployment.restarts = 0
            deployment.scaled_at = datetime.now(UTC)

    def reconcile(self) -> None:
        """Start missing pods and end surplus ones."""
        with self._lock:
            nodes = self.node_count()
            for (_, name), deployment in self.deployments.items():
                generation = deployment.generation
                self._adjust(name, deployment, min(deployment.replicas, deployment.most_processes) if nodes else 0)
                deployment.observed_generation = generation

    def _adjust(self, name: str, deployment: Deployment, wanted: int) -> None:
        for process in [p for p in deployment.processes if p.poll() is not None]:
            deployment.processes.remove(process)
            deployment.restarts += 1
            deployment.last_exit_code = process.returncode
            _log.info("a pod of %s ended with %s", name, process.returncode)
        while len(deployment.processes) < wanted and not self._stopped.is_set():
            environment = self.pod_environment(name)
            if environment is None:
                return
            deployment.started(self._run(deployment, environment))
        _end(deployment.processes[wanted:])  # until they have ended, their pods are there
        deployment.processes = deployment.processes[:wanted]

    def _run(self, deployment: Deployment, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        self.log_directory.mkdir(parents=True, exist_ok=True)
        with (self.log_directory / f"{deployment.name}.log").open("ab") as log:
            return subprocess.Popen(
                deployment.command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        """End the loop and every pod."""
        self._stopped.set()
        if self._thread:
            self._thread.join()
        for deployment in self.deployments.values():
            _end(deployment.processes)


def _end(processes: list["subprocess.Popen[bytes]"]) -> None:
    """Ask pods to finish, then kill those that do not, as the kubelet does."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_TERMINATION_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def service_command(service: str) -> tuple[str, ...]:
    """The command line of one of the reference platform's services."""
    return (sys.executable, "-m", f"local.platform.{service}")


@dataclass(frozen=True)
class Authenticator:
    """Checks bearer tokens: each is a presigned request that STS must answer with a caller of the cluster's account."""

    cluster: str
    account: str
    sts_endpoint: str

    def check(self, authorization: str) -> str:
        """The caller's ARN; raises Unauthorized."""
        token = authorization.removeprefix("Bearer ")
        if not token.startswith(_TOKEN_PREFIX):
            raise Unauthorized("the bearer token does not begin with k8s-aws-v1.")
        try:
            url = base64.urlsafe_b64decode(token.removeprefix(_TOKEN_PREFIX) + "==").decode()
        except ValueError as error:
            raise Unauthorized("the bearer token is not base64") from error
        arn = self._caller(url)
        if f"::{self.account}:" not in arn:
            raise Unauthorized(f"{arn} does not belong to the cluster's account")
        return arn

    def _caller(self, url: str) -> str:
        asked = urllib.parse.urlsplit(url)
        if f"{asked.scheme}://{asked.netloc}" != self.sts_endpoint:
            raise Unauthorized("the bearer token is not a request to STS")
        query = urllib.parse.parse_qs(asked.query)
        signed = query.get("X-Amz-SignedHeaders", [""])[0].split(";")
        if query.get("Action") != ["GetCallerIdentity"] or "x-k8s-aws-id" not in signed:
            raise Unauthorized("the bearer token is not a GetCallerIdentity request signed for a cluster")
        request = urllib.request.Request(url, headers={"x-k8s-aws-id": self.cluster, "Accept": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 - it is our own STS
                found = re.search(r"arn:aws:[a-z]+::\d{12}:[^<\"]+", response.read().decode())
        except OSError as error:
            raise Unauthorized(f"STS refused the bearer token: {error}") from error
        if not found:
            raise Unauthorized("STS named no caller")
        return found[0]


class _Api(BaseHTTPRequestHandler):
    """GET a Deployment; GET, PUT or PATCH its scale."""

    protocol_version = "HTTP/1.1"

    def _reply(self, code: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, code: int, reason: str, message: str) -> None:
        self._reply(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                           "message": message})  # fmt: skip

    def _handle(self) -> None:
        server = cast("Server", self.server)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            server.authenticator.check(self.headers.get("Authorization", ""))
        except Unauthorized as error:
            self._refuse(401, "Unauthorized", str(error))
            return
        asked = urllib.parse.urlsplit(self.path)
        if self.command == "GET" and (listed := self._list(asked.path, urllib.parse.parse_qs(asked.query))) is not None:
            self._reply(200, {"kind": "List", "apiVersion": "v1", "items": listed})
            return
        matched = _PATH.search(asked.path)
        deployment = matched and server.cluster.deployments.get((matched["namespace"], matched["name"]))
        if not matched or not deployment or (self.command != "GET" and not matched["scale"]):
            self._refuse(404, "NotFound", f"the stand-in has nothing at {self.command} {self.path}")
            return
        if self.command != "GET":
            replicas = json.loads(content).get("spec", {}).get("replicas")
            if not isinstance(replicas, int) or replicas < 0:
                self._refuse(422, "Invalid", "spec.replicas must be a whole number, 0 or more")
                return
            server.cluster.scale(deployment, replicas)
        describe = _scale if matched["scale"] else _deployment
        self._reply(200, describe(matched["namespace"], deployment))

    def _list(self, path: str, query: Mapping[str, list[str]]) -> list[dict[str, Any]] | None:
        """Nodes, or pods of a Deployment, by their label; None if the path is neither."""
        cluster = cast("Server", self.server).cluster
        label, _, value = query.get("labelSelector", [""])[0].partition("=")
        if path == "/api/v1/nodes":
            return [_node(number) for number in range(cluster.node_count())] if label == _NODE_LABEL else []
        if not (matched := _PODS.search(path)):
            return None
        deployment = cluster.deployments.get((matched["namespace"], value)) if label == "app" else None
        return [] if deployment is None else _pods(deployment, cluster.node_count())

    do_GET = do_PATCH = do_PUT = _handle  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        _log.debug(format, *args)


def _scale(namespace: str, deployment: Deployment) -> dict[str, Any]:
    # As in Kubernetes this counts the pods that exist, whether they run or not.
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": deployment.name, "namespace": namespace},
        "spec": {"replicas": deployment.replicas}, "status": {"replicas": deployment.replicas},
    }  # fmt: skip


def _deployment(namespace: str, deployment: Deployment) -> dict[str, Any]:
    ready = deployment.ready()
    metadata = {"name": deployment.name, "namespace": namespace, "generation": deployment.generation}
    return {
        "kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata,
        "spec": {"replicas": deployment.replicas, "selector": {"matchLabels": {"app": deployment.name}}},
        "status": {
            "observedGeneration": deployment.observed_generation, "replicas": deployment.replicas,
            "readyReplicas": ready, "availableReplicas": ready,
        },
    }  # fmt: skip


def _node(number: int) -> dict[str, Any]:
    return {"metadata": {"name": f"node-{number}"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


def _pods(deployment: Deployment, nodes: int) -> list[dict[str, Any]]:
    """The pods that a Deployment wants, and processes beyond that which still end."""
    ready = deployment.ready()
    count = max(deployment.replicas, len([process for process in deployment.processes if process.poll() is None]))
    return [_pod(deployment, number, nodes, is_ready=number < ready) for number in range(count)]


def _pod(deployment: Deployment, number: int, nodes: int, *, is_ready: bool) -> dict[str, Any]:
    since = deployment.scaled_at.isoformat(timespec="seconds")
    scheduled = {"type": "PodScheduled", "status": "True" if nodes else "False", "lastTransitionTime": since}
    if not nodes:
        scheduled |= {"reason": "Unschedulable", "message": "0/0 nodes are available"}
    container: dict[str, Any] = {"ready": is_ready, "restartCount": deployment.restarts, "state": {"running": {}}}
    if deployment.restarts and not is_ready:
        container["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": "the container ended"}}
        container["lastState"] = {"terminated": {"exitCode": deployment.last_exit_code}}
    elif not is_ready:
        container["state"] = {"waiting": {"reason": "ContainerCreating"}}
    return {
        "metadata": {"name": f"{deployment.name}-{number}", "creationTimestamp": since},
        "status": {
            "phase": "Running" if is_ready else "Pending", "conditions": [scheduled],
            "containerStatuses": [container] if nodes else [],
        },
    }  # fmt: skip


class Server(ThreadingHTTPServer):
    """The API over HTTPS on 127.0.0.1, with a certificate from the local authority."""

    daemon_threads = True

    def __init__(self, port: int, certificate: Path, key: Path, cluster: Cluster, authenticator: Authenticator) -> None:
        super().__init__(("127.0.0.1", port), _Api)
        self.cluster = cluster
        self.authenticator = authenticator
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake is left to the connection's own thread: a client that stays silent would block accept().
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


def base_environment() -> dict[str, str]:
    """What every pod inherits: enough to run Python, nothing of this process's AWS or PostgreSQL settings."""
    names = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ}
