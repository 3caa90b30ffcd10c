import { expect, test } from "bun:test";
import type { Body } from "logcollector/plugin";
import kubernetesEvents from "../../../plugins/inputs/kubernetes_events.ts";
import { eventually } from "../../support/eventually.ts";
import { change, fakeKubeApi, list, status, watch } from "../../support/fake-kube-api.ts";
import { InputDriver } from "../../support/input-driver.ts";

const names = (input: InputDriver) =>
  input.records.map(({ body }) => (body["metadata"] as Body)["name"]);

test("a list that breaks off is read again, without what was emitted of it", async () => {
  const many = Array.from({ length: 250 }, (_, n) => `e${n}@${n + 1}`);
  using api = fakeKubeApi(
    list("300", many, "more"),
    status(410, "expired"),
    list("300", [...many, "late@251"]),
    watch([change("BOOKMARK", "-", "301")], true),
  );
  await using input = new InputDriver(kubernetesEvents, api.options);
  await eventually(() => api.asked.length === 4);
  expect(names(input)).toEqual([...many.map((name) => name.split("@")[0]!), "late"]);
});

test("the position moves when all of a list is safe, and goes on from there", async () => {
  const many = Array.from({ length: 250 }, (_, n) => `e${n}@${n + 1}`);
  const changes = change("ADDED", "next", "401") + change("DELETED", "e1", "402") +
    change("MODIFIED", "next", "403");
  const positions = new Map<string, string>();
  {
    using api = fakeKubeApi(list("300", many), watch([changes], true));
    await using input = new InputDriver(kubernetesEvents, api.options, {
      positions,
      acks: "manual",
    });
    await eventually(() => input.records.length === 252);
    expect(input.emissions.map(({ ack }) => typeof ack === "object" ? ack.position() : undefined))
      .toEqual([undefined, "300", "401", "403"]);
    expect([...positions]).toEqual([]);
  }
  positions.set("events", "401");
  {
    using api = fakeKubeApi(
      list("500", ["next@403"]),
      watch([change("MODIFIED", "next", "403")], true),
    );
    await using input = new InputDriver(kubernetesEvents, api.options, { positions });
    await eventually(() => input.records.length === 1);
    expect(new URLSearchParams(api.asked[1]).get("resourceVersion")).toBe("401");
    expect([...positions]).toEqual([["events", "403"]]);
  }
});

test("what is known is left out when everything is listed again", async () => {
  const positions = new Map([["events", "10"]]);
  const gone = `${JSON.stringify({ type: "ERROR", object: { code: 410, message: "too old" } })}\n`;
  using api = fakeKubeApi(
    list("20", []),
    watch([gone]),
    list("20", ["old@9", "last@10", "new@15"]),
    watch([change("BOOKMARK", "-", "21")], true),
  );
  await using input = new InputDriver(kubernetesEvents, api.options, { positions });
  await eventually(() => api.asked.length === 4);
  expect(names(input)).toEqual(["new"]);
  expect([...positions]).toEqual([["events", "20"]]);
});

test("an empty list moves the position of a new input", async () => {
  const positions = new Map<string, string>();
  using api = fakeKubeApi(list("7", []), watch([change("BOOKMARK", "-", "8")], true));
  await using input = new InputDriver(kubernetesEvents, api.options, { positions });
  await eventually(() => positions.size === 1);
  expect([...positions]).toEqual([["events", "7"]]);
  expect(input.records).toEqual([]);
});

test("a namespace that cannot be one is a mistake", () => {
  const make = () => new InputDriver(kubernetesEvents, { kube_namespace: "a/../b" });
  expect(make).toThrow("cannot be the name of a namespace");
});
