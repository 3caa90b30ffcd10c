import { expect, test } from "bun:test";
import { StreamAcks } from "../../src/engine/stream-acks.ts";
import { Ticket } from "../../src/engine/ticket.ts";

function makeAcks() {
  const errors: unknown[] = [];
  const state = { progress: 0 };
  return {
    acks: new StreamAcks(() => void state.progress++, (e) => void errors.push(e)),
    errors,
    state,
  };
}

test("Ticket settles when the last hold is released, and only once", () => {
  let settled = 0;
  const ticket = new Ticket(() => void settled++);
  ticket.hold();
  ticket.hold();
  ticket.release();
  ticket.release();
  expect([settled, ticket.settled]).toEqual([0, false]);
  ticket.release();
  expect([settled, ticket.settled]).toEqual([1, true]);
});

test("StreamAcks gives the acks of a stream in the order of emission, whatever settles first", () => {
  const { acks, state } = makeAcks();
  const acked: number[] = [];
  const tickets = [0, 1, 2, 3].map((i) => acks.open("s", 10, () => void acked.push(i)));
  tickets[2]!.release();
  tickets[1]!.release();
  expect(acked).toEqual([]);
  expect([acks.pending, acks.pendingBytes]).toEqual([2, 20]);
  tickets[0]!.release();
  expect(acked).toEqual([0, 1, 2]);
  tickets[3]!.release();
  expect(acked).toEqual([0, 1, 2, 3]);
  expect([acks.pending, acks.pendingBytes, state.progress]).toEqual([0, 0, 4]);
});

test("StreamAcks keeps streams apart", () => {
  const { acks } = makeAcks();
  const acked: string[] = [];
  const slow = acks.open("a", 1, () => void acked.push("a"));
  acks.open("b", 1, () => void acked.push("b")).release();
  expect(acked).toEqual(["b"]);
  slow.release();
  expect(acked).toEqual(["b", "a"]);
});

test("StreamAcks survives an ack that throws, and gives no ack twice", () => {
  const { acks, errors } = makeAcks();
  const acked: number[] = [];
  const first = acks.open("s", 1, () => {
    acked.push(0);
    throw new Error("disk full");
  });
  acks.open("s", 1, () => void acked.push(1)).release();
  first.release();
  acks.open("s", 1, () => void acked.push(2)).release();
  expect(acked).toEqual([0, 1, 2]);
  expect(errors).toHaveLength(1);
  expect(acks.pending).toBe(0);
});

test("StreamAcks may be used from within an ack", () => {
  const { acks } = makeAcks();
  const acked: number[] = [];
  let inner: Ticket | undefined;
  acks.open("s", 1, () => {
    acked.push(0);
    inner = acks.open("s", 1, () => void acked.push(1));
  }).release();
  expect(acked).toEqual([0]);
  inner!.release();
  expect(acked).toEqual([0, 1]);
});
