#!/usr/bin/env bash
# kustomize and Helm, built from their modules, for the tests of what is in config/kubernetes. Without them those tests
# are skipped, so this never fails. The first build takes minutes; the result is kept.
set -uo pipefail
cd "$(dirname "$0")/.."

source=test/manifests/tools
folder=node_modules/.cache/kube-tools

skip() {
  echo "$* The tests of the manifests will be skipped." >&2
  exit 0
}
stamp=$(cat "$source"/go.* "$0" | sha256sum)
if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

PATH="$PATH:/usr/local/go/bin"
command -v go >/dev/null || skip "Go is not there, to build kustomize and Helm."
version_of() { sed -n "s#^[[:space:]]*$1 \(v[^ ]*\).*#\1#p" "$source/go.mod"; }
helm=$(version_of helm.sh/helm/v3)
kubernetes=$(version_of k8s.io/client-go)
minor=${kubernetes#v0.}
echo "Building kustomize and Helm …" >&2
rm -rf "$folder"
mkdir -p "$folder"
log="$folder/build.log"
# Helm takes a Kubernetes of its own for granted where it asks none: the one whose client it has.
flags="-s -w -X helm.sh/helm/v3/internal/version.version=$helm"
for named in helm.sh/helm/v3/pkg/chartutil helm.sh/helm/v3/pkg/lint/rules; do
  flags="$flags -X $named.k8sVersionMajor=1 -X $named.k8sVersionMinor=${minor%%.*}"
done
if ! go build -C "$source" -trimpath -ldflags "$flags" -o "$PWD/$folder/" \
  sigs.k8s.io/kustomize/kustomize/v5 helm.sh/helm/v3/cmd/helm >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  skip "Cannot build kustomize and Helm."
fi
printf '%s\n' "$stamp" >"$folder/stamp"
