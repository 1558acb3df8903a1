"""`python -m local.aws.emulator`: the AWS of the local stack in one process.

ministack emulates the two accounts. What it lacks runs beside it in the same process: the databases of RDS and the
Kubernetes API of EKS with its pods. The process ends, and ends everything that it started, when its
standard input closes. So it never outlives its parent, however the parent ends.

Environment: LOCAL_DIRECTORY (where databases, logs and authority.pem go), LOCAL_KUBERNETES_PORT, LOCAL_PODS (how many
processes a Deployment may run at most), LOCAL_UNPACKED (where functions' zips are unpacked, once),
LOCAL_HEARTBEAT_SECONDS (the shortest heartbeat timeout of a task token), and ministack's own
GATEWAY_PORT, BIND_HOST, TMPDIR, ...
"""

import os
import signal
import sys
import threading
from pathlib import Path

from ministack import app  # type: ignore[import-untyped]
from ministack.core import lambda_runtime  # type: ignore[import-untyped]

from local.aws import eks, exports, interval_patches, names, patches, rds
from local.aws.kubernetes import Authenticator, Cluster, Deployment, Server, service_command
from local.aws.patching import require_version
from local.aws.tls import Authority


def main() -> None:
    """Run until told to stop."""
    require_version()
    directory, endpoint_url = Path(os.environ["LOCAL_DIRECTORY"]), f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    authority = Authority.create()
    (directory / names.AUTHORITY_FILE).write_bytes(authority.pem)
    databases = rds.Databases(directory / names.DATABASE_FOLDER, authority)
    rds.install(databases)
    patches.install()
    interval_patches.install()
    exports.install()
    cluster = _start_kubernetes(directory, endpoint_url, authority)
    # ministack ends by sys.exit() at SIGTERM; end-of-file on stdin is turned into that signal.
    threading.Thread(target=_end_with_parent, daemon=True, name="lifeline").start()
    sys.argv = ["ministack"]  # its main() reads the command line
    try:
        app.main()
    finally:
        cluster.stop()
        lambda_runtime.reset()
        databases.close()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _start_kubernetes(directory: Path, endpoint_url: str, authority: Authority) -> Cluster:
    most = int(os.environ["LOCAL_PODS"])
    surroundings = eks.Surroundings(endpoint_url, directory / names.AUTHORITY_FILE)
    deployments = {
        (names.EKS_NAMESPACE, name): Deployment(name, service_command(name), most) for name in names.SERVICES
    }
    cluster = Cluster(deployments, eks.node_count, surroundings.environment, directory / "logs")
    certificate, key = authority.issue("127.0.0.1", "localhost").write(directory)
    authenticator = Authenticator(names.EKS_CLUSTER, names.ANSTEAD, endpoint_url)
    server = Server(int(os.environ["LOCAL_KUBERNETES_PORT"]), certificate, key, cluster, authenticator)
    eks.install(f"https://127.0.0.1:{server.port}", authority.pem)
    threading.Thread(target=server.serve_forever, daemon=True, name="kubernetes-api").start()
    cluster.start()
    return cluster


if __name__ == "__main__":
    main()
