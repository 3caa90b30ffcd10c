import { defineInput, field, kubeApiFields } from "logcollector/plugin";
import * as z from "zod";
import { EventsInput } from "./kubernetes_events/events-input.ts";

const RECONNECTS = "Accepted, without effect: a watch that ends begins again by itself";

const config = z.object({
  ...kubeApiFields(),
  kube_namespace: field.text().optional()
    .describe("Namespace to read the events of. Default: all namespaces"),
  kube_retention_time: field.duration().default(3_600_000)
    .describe("Age from which an event is left out"),
  kube_request_limit: field.int({ min: 0 }).default(0)
    .describe("Events that the server is asked for at once; 0 for 500"),
  kube_watch_timeout: field.duration().default(600_000)
    .describe("Time after which the server ends a watch, which begins again; 0 for 10 minutes"),
  db: field.text().optional().describe(
    "SQLite file that keeps where reading goes on after a restart; one of Fluent Bit's is taken over",
  ),
  "db.sync": field.oneOf("extra", "full", "normal", "off").default("normal")
    .describe("off never waits for the disk; the others do, once a second"),
  "db.locking": field.bool().default(false)
    .describe("Lets no other program read db while the collector runs"),
  "db.journal_mode": field.oneOf("DELETE", "TRUNCATE", "PERSIST", "MEMORY", "WAL", "OFF")
    .default("WAL").describe("SQLite's journal_mode"),
  interval_sec: field.int({ min: 0 }).default(0).describe(RECONNECTS),
  interval_nsec: field.int({ min: 0 }).default(500_000_000).describe(RECONNECTS),
});

export default defineInput({
  name: "kubernetes_events",
  summary: "Follows the events of a Kubernetes cluster: pods that start, fail, are moved",
  config,
  create: (options, ctx) => new EventsInput(options, ctx),
});
