"""Scales Kubernetes deployments on EKS through the scale subresource, and sees whether pods and nodes are ready.

The official client needs 75 MB and 0.7 s to import; for a few HTTPS requests that is too much.
"""

import base64
import json
import ssl
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import urllib3
from botocore.credentials import Credentials
from botocore.signers import RequestSigner

from shared.errors import PermanentError, RetriableError

# EKS accepts a token for 15 minutes; the URL in it is signed for one.
_TOKEN_SECONDS = 60
_TIMEOUT = urllib3.Timeout(connect=5, read=30)


class ClusterUnavailable(RetriableError):  # noqa: N818
    """The cluster's API could not be reached or could not answer."""


class ClusterRefused(PermanentError):  # noqa: N818
    """The cluster's API refused a request."""


# How long a state may last before it counts as one that does not pass by itself, in seconds. The reasons are Kubernetes' own.
# A deployment's progress deadline does not see pods that are added to one whose rollout was complete: hence the pods.
_PATIENCE_SECONDS = {
    "InvalidImageName": 0,
    "ErrImageNeverPull": 0,
    "CreateContainerConfigError": 120,
    "CreateContainerError": 120,
    "ImagePullBackOff": 300,
    "CrashLoopBackOff": 300,
    "Unschedulable": 600,
    "ReplicaFailure": 300,
    "ProgressDeadlineExceeded": 0,
}


@dataclass(frozen=True)
class Trouble:
    """Why a pod or a deployment is not ready: Kubernetes' reason and message, and for how many seconds."""

    about: str
    reason: str
    message: str
    seconds: float

    @property
    def is_final(self) -> bool:
        """Whether it has lasted longer than such a thing lasts when it passes by itself."""
        return self.reason in _PATIENCE_SECONDS and self.seconds >= _PATIENCE_SECONDS[self.reason]

    def __str__(self) -> str:
        """For the engineer on call."""
        return f"{self.about}: {self.reason} for {self.seconds:.0f} s: {self.message}"


@dataclass(frozen=True)
class Deployment:
    """A deployment as its controller last saw it: replicas wanted and available, pods that exist or still end."""

    wanted: int
    available: int
    pods: int
    troubles: tuple[Trouble, ...] = ()

    @property
    def why(self) -> str:
        """What keeps its pods from being ready, most final first; empty if nothing is known."""
        return "; ".join(str(trouble) for trouble in sorted(self.troubles, key=lambda each: not each.is_final)[:3])

    @property
    def is_stuck(self) -> bool:
        """Whether waiting is of no use."""
        return any(trouble.is_final for trouble in self.troubles)


class Cluster:
    """The API server of one EKS cluster."""

    def __init__(self, endpoint: str, authority: str, token: str) -> None:
        """Take the endpoint and certificate authority as DescribeCluster gives them (base64 of PEM), and a token."""
        self._endpoint = endpoint.rstrip("/")
        self._token = token
        verified = ssl.create_default_context(cadata=base64.b64decode(authority).decode("ascii"))
        # Python 3.13 asks for extensions that the authorities of clusters from before Kubernetes 1.17 lack, and no
        # upgrade of a cluster replaces its authority: https://github.com/kubernetes-client/python/issues/2394
        verified.verify_flags &= ~ssl.VERIFY_X509_STRICT
        self._http = urllib3.PoolManager(ssl_context=verified, timeout=_TIMEOUT, retries=urllib3.Retry(total=2))

    def scale(self, namespace: str, deployment: str, replicas: int) -> None:
        """Set the number of replicas of a deployment."""
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}/scale"
        self._request("PATCH", path, {"spec": {"replicas": replicas}})

    def deployment(self, namespace: str, name: str, now: datetime) -> Deployment:
        """A deployment and its pods. Nothing is available while its controller has not seen the latest change."""
        found = self._request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        spec, status = found["spec"], found.get("status", {})
        labels = ",".join(f"{key}={value}" for key, value in spec["selector"]["matchLabels"].items())
        query = urllib.parse.urlencode({"labelSelector": labels})
        listed = self._request("GET", f"/api/v1/namespaces/{namespace}/pods?{query}")["items"]
        # An evicted pod stays in the list, but runs nothing.
        pods = [pod for pod in listed if pod["status"].get("phase") not in ("Failed", "Succeeded")]
        is_seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        troubles = [*_of_deployment(name, status, now), *(trouble for pod in pods for trouble in _of_pod(pod, now))]
        # Kubernetes leaves a zero out of the JSON.
        available = status.get("availableReplicas", 0) if is_seen else 0
        return Deployment(spec.get("replicas", 0), available, len(pods), tuple(troubles))

    def ready_nodes(self, node_group: str) -> int:
        """How many nodes of an EKS node group have joined the cluster and are ready."""
        query = urllib.parse.urlencode({"labelSelector": f"eks.amazonaws.com/nodegroup={node_group}"})
        nodes = self._request("GET", f"/api/v1/nodes?{query}")["items"]
        return sum(
            any(
                condition["type"] == "Ready" and condition["status"] == "True"
                for condition in node["status"]["conditions"]
            )
            for node in nodes
        )

    def _request(self, method: str, path: str, patch: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self._endpoint}{path}"
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if patch is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        try:
            body = None if patch is None else json.dumps(patch)
            response = self._http.request(method, url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ClusterUnavailable(f"{method} {url}: {error}") from error
        if response.status >= 500 or response.status == 429:
            raise ClusterUnavailable(f"{method} {url}: HTTP {response.status}")
        if response.status >= 400:
            raise ClusterRefused(
                f"{method} {url}: HTTP {response.status} {response.data[:200].decode(errors='replace')}"
            )
        answer: dict[str, Any] = json.loads(response.data)
        return answer


def _of_deployment(name: str, status: dict[str, Any], now: datetime) -> Iterator[Trouble]:
    for condition in status.get("conditions", []):
        since = _seconds(condition.get("lastTransitionTime"), now)
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            yield Trouble(name, "ReplicaFailure", condition.get("message", ""), since)
        if condition["type"] == "Progressing" and condition["status"] == "False":
            yield Trouble(name, condition.get("reason", ""), condition.get("message", ""), since)


def _of_pod(pod: dict[str, Any], now: datetime) -> Iterator[Trouble]:
    name, status = pod["metadata"]["name"], pod["status"]
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            since = _seconds(condition.get("lastTransitionTime"), now)
            yield Trouble(name, condition.get("reason", ""), condition.get("message", ""), since)
    for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        if waiting := container.get("state", {}).get("waiting"):
            message = waiting.get("message", "")
            ended = container.get("lastState", {}).get("terminated")
            if ended:
                message += f" (restarted {container['restartCount']} times, last exit code {ended['exitCode']})"
            yield Trouble(name, waiting["reason"], message, _seconds(pod["metadata"].get("creationTimestamp"), now))


def _seconds(since: str | None, now: datetime) -> float:
    return (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0


def token(sts: Any, credentials: Credentials, cluster: str) -> str:
    """A bearer token for a cluster: a signed GetCallerIdentity request that EKS sends to STS for us."""
    signer = RequestSigner(
        sts.meta.service_model.service_id, sts.meta.region_name, "sts", "v4", credentials, sts.meta.events
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=sts.meta.region_name,
        expires_in=_TOKEN_SECONDS,
        operation_name="",
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
