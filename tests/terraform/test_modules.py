"""Terraform's own tests of every module and both roots, where there is a Terraform."""

import shutil
import subprocess

import pytest

from shared.paths import ROOT

NO_PROVIDER = 75  # of check.sh; Terraform itself never ends with it


def test_modules_and_roots_are_in_form_and_valid_and_pass_their_tests():
    if not shutil.which("terraform"):
        pytest.skip(
            "no terraform on this machine: modules/ and terraform/ were neither formatted, validated nor tested"
        )
    done = subprocess.run([ROOT / "terraform" / "check.sh"], capture_output=True, text=True, check=False)
    if done.returncode == NO_PROVIDER:
        pytest.skip("no way to Terraform's AWS provider: modules/ and terraform/ were neither validated nor tested")
    assert done.returncode == 0, done.stdout + done.stderr
    tested = {line.split()[0] for line in done.stdout.splitlines() if "Success!" in line}
    assert tested == {str(path.parent.relative_to(ROOT)) for path in ROOT.glob("*/*/versions.tf")}
