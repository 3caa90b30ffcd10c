import { describe, expect, test } from "bun:test";
import { EmissionOrder } from "../../src/engine/emission-order.ts";
import { StreamAcks } from "../../src/engine/stream-acks.ts";
import { Book } from "../../src/engine/books.ts";
import { Ticket } from "../../src/engine/ticket.ts";

function makeAcks() {
  const errors: unknown[] = [];
  const moved: string[] = [];
  const state = { progress: 0 };
  return {
    acks: new StreamAcks({
      book: new Book("input", "in.0"),
      order: new EmissionOrder({ sec: 1, nsec: 0 }),
      onProgress: () => void state.progress++,
      onMoved: (stream, position, order) => void moved.push(`${stream} ${position()} ${order}`),
      onAckError: (e) => void errors.push(e),
    }),
    errors,
    moved,
    state,
  };
}

test("Ticket settles when the last hold is released, and only once", () => {
  let settled = 0;
  const ticket = new Ticket({ book: new Book("input", "in.0"), settled: () => void settled++ });
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

const at = (position: string) => ({ position: () => position });

test("StreamAcks says how far a stream is safe, once for batches that become safe together", () => {
  const { acks, moved } = makeAcks();
  const [first, second, third] = ["1", "2", "3"].map((p) => acks.open("s", 1, at(p)));
  second!.release();
  expect(moved).toEqual([]);
  first!.release();
  expect(moved).toEqual(["s 2 1000002"]);
  third!.release();
  expect(moved).toEqual(["s 2 1000002", "s 3 1000003"]);
});

test("StreamAcks calls the ack of a checkpoint before its position counts", () => {
  const { acks, moved } = makeAcks();
  acks.open("s", 1, { position: () => "p", ack: () => void moved.push("acked") }).release();
  expect(moved).toEqual(["acked", "s p 1000001"]);
});

describe("a claim", () => {
  const log = { name: "log" };

  test("reaches as far as everything before it is safe or in the same log", () => {
    const { acks } = makeAcks();
    const [first, second, third] = ["1", "2", "3"].map((p) => acks.open("s", 1, at(p)));
    second!.logged(log);
    expect(second!.claim(log)).toBeUndefined();
    first!.release();
    expect(second!.claim(log)).toEqual({
      input: "in.0",
      stream: "s",
      position: "2",
      order: 1000002,
    });
    expect(third!.claim(log)).toBeUndefined();
    third!.logged(log);
    expect(third!.claim(log)).toMatchObject({ position: "3" });
    expect(third!.claim(log)).toBeUndefined();
  });

  test("does not pass a batch of which another part waits elsewhere", () => {
    const { acks } = makeAcks();
    const ticket = acks.open("s", 1, at("1"));
    ticket.hold();
    ticket.logged(log);
    expect(ticket.claim(log)).toBeUndefined();
    ticket.release();
    expect(ticket.claim(log)).toMatchObject({ position: "1" });
  });

  test("of one log does not count what only another log has", () => {
    const { acks } = makeAcks();
    const other = { name: "other" };
    const ticket = acks.open("s", 1, at("1"));
    ticket.hold();
    ticket.logged(log);
    ticket.logged(other);
    expect([ticket.claim(log), ticket.claim(other)]).toEqual([undefined, undefined]);
    ticket.releaseLogged(other);
    expect(ticket.claim(log)).toMatchObject({ position: "1" });
    ticket.releaseLogged(log);
    expect(ticket.settled).toBe(true);
  });

  test("goes on where the last one ended after earlier batches became safe", () => {
    const { acks } = makeAcks();
    const tickets = Array.from({ length: 10 }, (_, i) => acks.open("s", 1, at(String(i))));
    for (const ticket of tickets.slice(0, 5)) ticket.logged(log);
    expect(tickets[4]!.claim(log)).toMatchObject({ position: "4" });
    for (const ticket of tickets.slice(0, 3)) ticket.releaseLogged(log);
    for (const ticket of tickets.slice(5, 7)) ticket.logged(log);
    expect(tickets[6]!.claim(log)).toMatchObject({ position: "6" });
  });

  test("has the last position when later batches have none", () => {
    const { acks } = makeAcks();
    const first = acks.open("s", 1, at("1"));
    const second = acks.open("s", 1, () => {});
    first.logged(log);
    second.logged(log);
    expect(second.claim(log)).toMatchObject({ position: "1" });
  });
});
