import { expect, test } from "bun:test";
import { DatagramSocket } from "../../src/lib/datagram-socket.ts";
import { NotifyListener } from "../support/notify-listener.ts";
import { TempFolder } from "../support/temp-folder.ts";

const BYTES = new TextEncoder().encode("ä");

for (const kind of ["path", "abstract name"]) {
  test(`a datagram comes to its receiver by ${kind}`, async () => {
    using folder = new TempFolder();
    const address = kind === "path" ? folder.at("socket") : `@${folder.at("socket")}`;
    using listener = new NotifyListener(address);
    using socket = new DatagramSocket(address);
    expect(socket.send(BYTES)).toBeUndefined();
    expect(listener.read()).toEqual(["ä"]);
  });
}

test("the longest path is taken whole", () => {
  using folder = new TempFolder();
  const address = folder.at("x".repeat(107 - folder.path.length - 1));
  using listener = new NotifyListener(address);
  using socket = new DatagramSocket(address);
  expect([address.length, socket.send(BYTES), listener.read()]).toEqual([107, undefined, ["ä"]]);
});

test("a socket that is not there, or that nobody holds any more, is told by the system's name", () => {
  using folder = new TempFolder();
  using missing = new DatagramSocket(folder.at("missing"));
  expect(missing.send(BYTES)).toBe("ENOENT");
  const address = folder.at("left");
  new NotifyListener(address)[Symbol.dispose]();
  using left = new DatagramSocket(address);
  expect(left.send(BYTES)).toBe("ECONNREFUSED");
});

test("a socket whose owner does not read is full and does not make the sender wait", () => {
  using folder = new TempFolder();
  using listener = new NotifyListener(folder.at("socket"));
  using socket = new DatagramSocket(folder.at("socket"));
  let sent = 0;
  while (socket.send(BYTES) === undefined) sent++;
  expect(socket.send(BYTES)).toBe("EAGAIN");
  expect(listener.read()).toHaveLength(sent);
  expect(socket.send(BYTES)).toBeUndefined();
});

test("what cannot be an address is refused", () => {
  expect(() => new DatagramSocket("vsock:2:1")).toThrow(
    'expected an absolute path, or @ and a name, got "vsock:2:1"',
  );
  expect(() => new DatagramSocket(`/${"x".repeat(107)}`)).toThrow("longer than the 107 bytes");
});
