#!/usr/bin/env bash
# Prints the folder of a provider mirror, for -plugin-dir, if the registry cannot be reached; prints nothing if there is no
# mirror. Looks at TF_PROVIDER_MIRROR, then at Terraform's usual folders, then at the upper levels of the file system.
set -euo pipefail
provider=registry.terraform.io/hashicorp/aws

for folder in "${TF_PROVIDER_MIRROR:-}" "$HOME/.terraform.d/plugins" /usr/local/share/terraform/plugins /usr/share/terraform/plugins; do
    if [[ -n $folder && -d $folder/$provider ]]; then
        echo "$folder"
        exit
    fi
done
found=$(find / -maxdepth 7 -type d \( -path /proc -o -path /sys -o -name .terraform -o -name node_modules \) -prune -o \
    -type d -path "*/$provider/[0-9]*" -print -quit 2>/dev/null || true)
echo "${found%/"$provider"/*}"
