"""Scales Kubernetes deployments on EKS, through the scale subresource only.

The official client needs 75 MB and 0.7 s to import; for two HTTPS requests that is too much.
"""

import base64
import json
import ssl
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Scale:
    """Requested and existing replicas."""

    wanted: int
    existing: int


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

    def scale(self, namespace: str, deployment: str, replicas: int) -> Scale:
        """Set the number of replicas of a deployment."""
        return self._request("PATCH", namespace, deployment, {"spec": {"replicas": replicas}})

    def scale_of(self, namespace: str, deployment: str) -> Scale:
        """The replicas of a deployment; those that are still stopping count as existing."""
        return self._request("GET", namespace, deployment, None)

    def _request(self, method: str, namespace: str, deployment: str, patch: dict[str, Any] | None) -> Scale:
        url = f"{self._endpoint}/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}/scale"
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
        scale = json.loads(response.data)
        # Kubernetes leaves a zero out of the JSON.
        return Scale(scale["spec"].get("replicas", 0), scale.get("status", {}).get("replicas", 0))


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
