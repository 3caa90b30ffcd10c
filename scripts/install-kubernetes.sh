#!/usr/bin/env bash
# etcd and Kubernetes' API server, real ones for the tests of everything that talks to Kubernetes. Without them those tests
# are skipped, so this never fails. The first build takes minutes; the result is kept.
#
#   scripts/install-kubernetes.sh            install what is missing
#   scripts/install-kubernetes.sh v1.36.3    write test/kubernetes/go.mod and go.sum for another version, and install it
set -uo pipefail
cd "$(dirname "$0")/.."

source=test/kubernetes
folder=node_modules/.cache/kubernetes

skip() {
  echo "$* The tests with a real Kubernetes API server will be skipped." >&2
  exit 0
}
PATH="$PATH:/usr/local/go/bin"
command -v go >/dev/null || skip "Go is not there, to build the API server."

# Kubernetes refers to parts of itself by path; published they have versions of their own, v1.N.M being v0.N.M there.
if [ $# -eq 1 ]; then
  parts="v0.${1#v1.}"
  cd "$source" || exit 1
  rm -f go.mod go.sum
  go mod init kubernetes-for-tests && go mod edit -require="k8s.io/kubernetes@$1" || exit 1
  kubernetes=$(go mod download -json "k8s.io/kubernetes@$1" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  sed -n 's/^[[:space:]]*\(k8s.io\/[a-z0-9-]*\) => .\/staging.*/\1/p' "$kubernetes/go.mod" | while read -r module; do
    go mod edit -replace="$module=$module@$parts"
  done
  go mod tidy || exit 1
  cd - >/dev/null || exit 1
fi

if ! command -v etcd >/dev/null; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    skip "Cannot install etcd-server here: it takes root and apt-get."
  fi
  echo "Installing etcd-server …" >&2
  export DEBIAN_FRONTEND=noninteractive
  # Nobody needs it as a service of this machine.
  if ! { apt-get update -qq && RUNLEVEL=1 apt-get install -qq -y --no-install-recommends etcd-server; } >&2; then
    skip "Cannot install etcd-server."
  fi
fi

mkdir -p "$folder"
stamp=$(cat "$source"/* | sha256sum)
if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
version=$(sed -n 's/^require k8s.io\/kubernetes //p' "$source/go.mod")
echo "Building the API server of Kubernetes $version …" >&2
rm -rf "$folder"
mkdir -p "$folder"
log="$folder/build.log"
named="k8s.io/component-base/version"
minor=${version#v1.}
# Without inlining it is compiled in 60 % of the time; it starts in 5 s instead of 4.
if ! go build -C "$source" -trimpath -gcflags=all=-l -o "$PWD/$folder/kube-apiserver" -ldflags "-s -w -X $named.gitVersion=$version \
-X $named.gitMajor=1 -X $named.gitMinor=${minor%%.*}" k8s.io/kubernetes/cmd/kube-apiserver >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  skip "Cannot build the API server."
fi
printf '%s\n' "$stamp" >"$folder/stamp"
