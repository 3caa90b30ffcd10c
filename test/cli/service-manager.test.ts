import { expect, test } from "bun:test";
import { ServiceManager, takeNotifySettings } from "../../src/cli/service-manager.ts";
import { DatagramSocket } from "../../src/lib/datagram-socket.ts";
import type { Logger } from "../../src/sdk/context.ts";
import { NotifyListener } from "../support/notify-listener.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** A service manager that listens in a folder, and a process that speaks to it. */
class Setup implements Disposable {
  readonly folder = new TempFolder();
  readonly address = this.folder.at("notify");
  readonly listener = new NotifyListener(this.address);
  readonly warnings: string[] = [];
  private readonly managers: ServiceManager[] = [];

  manager(env: Record<string, string | undefined> = {}): ServiceManager {
    const ignore = () => undefined;
    const warn = (message: string) => void this.warnings.push(message);
    const log: Logger = { error: ignore, warn, info: ignore, debug: ignore };
    const manager = new ServiceManager(
      takeNotifySettings({ NOTIFY_SOCKET: this.address, ...env }),
      log,
      7,
    );
    this.managers.push(manager);
    return manager;
  }

  [Symbol.dispose](): void {
    for (const manager of this.managers) manager.close();
    this.listener[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

test("takeNotifySettings leaves nothing of them in the environment", () => {
  const env: Record<string, string> = {
    NOTIFY_SOCKET: "/a",
    WATCHDOG_USEC: "9",
    WATCHDOG_PID: "7",
    PATH: "/",
  };
  const settings = { address: "/a", watchdogUsec: "9", watchdogPid: "7" };
  expect(takeNotifySettings(env)).toEqual(settings);
  expect(env).toEqual({ PATH: "/" });
});

test("ServiceManager says nothing where nobody listens", () => {
  using setup = new Setup();
  for (const address of [undefined, ""]) {
    const manager = setup.manager({ NOTIFY_SOCKET: address });
    manager.ready(() => "up");
    manager.reloading();
    manager.reloaded();
    manager.stopping(0);
  }
  expect([setup.listener.read(), setup.warnings]).toEqual([[], []]);
});

test("ServiceManager makes one short line of a status", () => {
  using setup = new Setup();
  setup.manager().ready(() => `a\nREADY=0\x1b[1m ${"€".repeat(5000)}`);
  const [message] = setup.listener.read();
  expect(message).toStartWith("READY=1\nSTATUS=a READY=0\\x1b[1m €€");
  expect(message!.split("\n")).toHaveLength(2);
  expect(Buffer.byteLength(message!)).toBeLessThan(4096);
});

test("ServiceManager is not ready again once it stops", () => {
  using setup = new Setup();
  const manager = setup.manager();
  manager.reloading();
  manager.stopping(2000);
  manager.reloaded();
  manager.stopping(2000);
  const [reloading, ...rest] = setup.listener.read();
  expect(reloading).toMatch(/^RELOADING=1\nSTATUS=.*\nMONOTONIC_USEC=\d+$/);
  expect(rest).toEqual([
    "STOPPING=1\nSTATUS=Stopping: delivering what waits\nEXTEND_TIMEOUT_USEC=32000000",
  ]);
});

test("ServiceManager's time of a reload is the system's", () => {
  using setup = new Setup();
  const manager = setup.manager();
  manager.reloading();
  const uptimeUsec = 1e6 * Number(
    new TextDecoder().decode(
      Bun.spawnSync(["cat", "/proc/uptime"]).stdout,
    ).split(" ")[0],
  );
  const usec = Number(/MONOTONIC_USEC=(\d+)/.exec(setup.listener.read()[0]!)![1]);
  // The up time has hundredths of a second, and time that the machine slept on top.
  expect(usec).toBeLessThanOrEqual(uptimeUsec + 10_000);
  expect(usec).toBeGreaterThan(performance.now() * 1000);
});

test("ServiceManager brings messages later, in order, when the socket is full", async () => {
  using setup = new Setup();
  using other = new DatagramSocket(setup.address);
  while (other.send(new Uint8Array([120])) === undefined);
  const manager = setup.manager({ WATCHDOG_USEC: "20000" });
  manager.ready(() => "up");
  manager.reloading();
  manager.reloaded();
  const came = (await setup.listener.until(/^RELOADING/))
    .concat(await setup.listener.until(/^READY=1/));
  const told = came.filter((message) => message !== "x" && message !== "WATCHDOG=1");
  expect(told.map((message) => message.split("\n")[0])).toEqual([
    "READY=1",
    "RELOADING=1",
    "READY=1",
  ]);
  await setup.listener.until(/^WATCHDOG=1$/);
  expect(setup.warnings).toEqual([]);
});

test("ServiceManager warns once of a socket that is gone", () => {
  using setup = new Setup();
  const manager = setup.manager({ NOTIFY_SOCKET: setup.folder.at("gone") });
  manager.ready(() => "up");
  manager.reloading();
  manager.reloaded();
  expect(setup.warnings).toEqual([
    `Cannot notify the service manager at ${setup.folder.at("gone")}: ENOENT`,
  ]);
});

test("ServiceManager warns of an address that it cannot use and of a watchdog without a time", () => {
  using setup = new Setup();
  setup.manager({ NOTIFY_SOCKET: "vsock:2:1" }).ready(() => "up");
  setup.manager({ WATCHDOG_USEC: "soon" }).ready(() => "up");
  expect(setup.warnings).toEqual([
    'Cannot notify the service manager: expected an absolute path, or @ and a name, got "vsock:2:1"',
    'Cannot serve the watchdog: WATCHDOG_USEC is "soon"',
  ]);
  expect(setup.listener.read()).toEqual(["READY=1\nSTATUS=up"]);
});

test("ServiceManager serves the watchdog of this process, and nobody else's", async () => {
  using setup = new Setup();
  setup.manager({ WATCHDOG_USEC: "2000", WATCHDOG_PID: "8" }).ready(() => "not ours");
  await Bun.sleep(20);
  expect(setup.listener.read()).toEqual(["READY=1\nSTATUS=not ours"]);
  setup.manager({ WATCHDOG_USEC: "2000", WATCHDOG_PID: "7" }).ready(() => "ours");
  await setup.listener.until(/^WATCHDOG=1$/);
});
