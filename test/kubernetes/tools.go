// The tests' own Kubernetes: names what scripts/install-kubernetes.sh builds, so that go.mod and go.sum hold all of it.
package main

import _ "k8s.io/kubernetes/cmd/kube-apiserver/app"

func main() {}
