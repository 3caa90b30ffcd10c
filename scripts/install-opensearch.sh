#!/usr/bin/env bash
# OpenSearch, a real server for the tests of the outputs es and opensearch. Without it those tests are skipped, so this
# never fails.
set -uo pipefail
cd "$(dirname "$0")/.."

source=test/opensearch
folder=node_modules/.cache/opensearch
mkdir -p "$folder"
stamp=$(cat "$source"/* | sha256sum)
if [ "$(cat "$folder/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

skip() {
  echo "$* The tests with a real OpenSearch will be skipped." >&2
  exit 0
}
missing=()
command -v javac >/dev/null || missing+=(default-jdk-headless)
command -v mvn >/dev/null || missing+=(maven)
if [ "${#missing[@]}" -gt 0 ]; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    skip "Cannot install ${missing[*]} here: it takes root and apt-get."
  fi
  echo "Installing ${missing[*]} …" >&2
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2; then
    skip "Cannot install ${missing[*]}."
  fi
fi
rm -rf "$folder"
mkdir -p "$folder"
log="$folder/maven.log"
if ! mvn -q -B -f "$source/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
  -DoutputDirectory="$PWD/$folder/lib" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  skip "Cannot download OpenSearch."
fi
if ! javac -cp "$folder/lib/*" -d "$folder/classes" "$source/TestNode.java" >&2; then
  skip "Cannot compile the starter of OpenSearch."
fi
# A Java that is too new or too old for it is found out here, not in the tests. It stops at the end of its input.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/config"
if ! java -Xmx256m -cp "$folder/classes:$folder/lib/*" TestNode "$home" </dev/null 2>"$log" | grep -q '^port '; then
  tail -n 5 "$log" >&2
  skip "OpenSearch does not start with this Java."
fi
printf '%s\n' "$stamp" >"$folder/stamp"
