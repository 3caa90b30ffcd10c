import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../support/eventually.ts";
import { makeCertificates } from "../plugins/outputs/certificates.ts";
import { containerId, Node } from "./kubernetes-setup.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(60_000);

const certificates = makeCertificates();
afterAll(() => certificates.remove());

const podOf = (name: string, label: string, id: string) => ({
  metadata: { name, namespace: "default", uid: `u-${name}`, labels: { app: label } },
  spec: { nodeName: "node-1", containers: [{ name: "app" }] },
  status: {
    podIP: "10.1.0.7",
    containerStatuses: [{ name: "app", image: "a:1", containerID: `containerd://${id}` }],
  },
});

/** Answers as a kubelet does: with all pods of its node. */
function kubelet() {
  const state = {
    pods: [podOf("one", "first", containerId("1"))],
    asked: [] as string[],
    status: 200,
  };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: certificates.read("server.crt"), key: certificates.read("server.key") },
    fetch(request) {
      state.asked.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
      if (state.status !== 200) return new Response("Forbidden", { status: state.status });
      return Response.json({ kind: "PodList", metadata: {}, items: state.pods });
    },
  });
  const options = {
    use_kubelet: "on",
    kubelet_port: server.port,
    kube_ca_file: certificates.path("ca.crt"),
    kubelet_poll_interval: "1h",
  };
  return { state, options, [Symbol.dispose]: () => void server.stop(true) };
}

test("a kubelet is asked for its pods, and again at once for one that is not known", async () => {
  using peer = kubelet();
  await using node = new Node();
  node.setToken("secret");
  node.write({ pod: "one", id: containerId("1") }, ["a"]);
  await node.startWith({ ...peer.options, kube_token_file: node.tokenFile });
  expect((await node.record("a")).kubernetes).toMatchObject({
    labels: { app: "first" },
    host: "node-1",
    container_image: "a:1",
  });
  expect(peer.state.asked).toEqual(["/pods Bearer secret"]);
  peer.state.pods = [podOf("two", "second", containerId("2"))];
  node.write({ pod: "two", id: containerId("2") }, ["b"]);
  expect((await node.record("b")).kubernetes).toMatchObject({ labels: { app: "second" } });
  expect(peer.state.asked).toHaveLength(2);
  node.write({ pod: "one", id: containerId("1") }, ["last words"]);
  expect((await node.record("last words")).kubernetes).toMatchObject({ labels: { app: "first" } });
});

test("a kubelet that refuses costs nothing but the metadata, and is asked again", async () => {
  using peer = kubelet();
  peer.state.status = 403;
  await using node = new Node();
  node.setToken("secret");
  node.write({ pod: "one", id: containerId("1") }, ["a"]);
  await node.startWith({ ...peer.options, kube_token_file: node.tokenFile, kube_meta_wait: "1h" });
  expect((await node.record("a")).kubernetes).not.toHaveProperty("labels");
  await node.collector.untilLog(/Cannot keep up with pods from https:.*status is 403/);
  peer.state.status = 200;
  await node.collector.untilLog("Keeps up with pods");
  let n = 0;
  await eventually(() => {
    node.write({ pod: "one", id: containerId("1") }, [`try ${n++}`]);
    return node.records.some(({ kubernetes }) => kubernetes?.["labels"] !== undefined);
  });
});
