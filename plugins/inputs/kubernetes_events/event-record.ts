import type { Body, KubeObject, LogRecord } from "logcollector/plugin";

/** The form that the API server writes times of events in. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** The event as it is, at the time when it last happened. */
export function eventRecord(
  event: KubeObject,
  now: { readonly sec: number; readonly nsec: number },
): LogRecord {
  const { lastTimestamp, firstTimestamp, metadata } = event as {
    readonly lastTimestamp?: unknown;
    readonly firstTimestamp?: unknown;
    readonly metadata?: { readonly creationTimestamp?: unknown };
  };
  const time = [lastTimestamp, firstTimestamp, metadata?.creationTimestamp].find(isTime);
  const body = event as Body;
  return time === undefined ? { ...now, body } : { sec: Date.parse(time) / 1000, nsec: 0, body };
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value));
}
