import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { goPlugin, removeGoPlugins, withoutGo } from "../hosts/go/go-plugins.ts";
import { eventually } from "../support/eventually.ts";
import { SystemdMachine, withoutMachine } from "../support/systemd-machine.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { makePackage } from "./make-package.ts";
import { MachineSink } from "./machine-sink.ts";

// What ends a test that waits in vain are the deadlines of what it waits for.
setDefaultTimeout(120_000);
if (withoutMachine !== "") console.warn(`Skipping the tests under systemd: ${withoutMachine}`);

const UNIT = "logcollector";
const CONFIG = "/etc/logcollector/logcollector.yaml";
const STATE = "/var/lib/logcollector";
const DROP_IN = `/etc/systemd/system/${UNIT}.service.d/test.conf`;

let machine: SystemdMachine;
let folder: TempFolder;
let sink: MachineSink;

const status = () => machine.show(UNIT, "StatusText");
const isActive = () => machine.run("systemctl", "is-active", UNIT).text.trim();
const pid = () => Number(machine.show(UNIT, "MainPID"));
const journal = () =>
  machine.run("journalctl", "-u", UNIT, "-o", "cat", "--no-pager", "-n", "30").text;
const exists = (path: string) => machine.run("test", "-e", path).status === 0;

/** Waits for what the service says that it is at. */
async function untilStatus(wanted: RegExp): Promise<void> {
  await eventually(
    () => wanted.test(status()),
    () => `a status like ${wanted}; it is "${status()}" and ${isActive()}: ${journal()}`,
    30_000,
  );
}

async function untilActive(): Promise<void> {
  await eventually(
    () => isActive() === "active",
    () => `it is ${isActive()}: ${journal()}`,
    30_000,
  );
}

function write(path: string, text: string): void {
  machine.must("mkdir", "-p", path.slice(0, path.lastIndexOf("/")));
  writeFileSync(machine.at(path), text);
}

/** Settings of the unit on top of its own, as `systemctl edit` makes them. */
function edit(settings: string): void {
  write(DROP_IN, `[Service]\n${settings}\n`);
  machine.must("systemctl", "daemon-reload");
}

/** A configuration that reads the journal and a file, and delivers to the sink. */
const config = (more = "", top = "") => `
${top}
service: { flush: 0.05, grace: 1, scheduler.base: 0.1, scheduler.cap: 0.2, storage.path: "\${STATE_DIRECTORY}" }
pipeline:
  inputs:
    - { name: systemd, tag: journal, identifiers: test, storage.type: filesystem }
    - { name: tail, tag: file, path: /var/log/app/*.log, read_from_head: on, storage.type: filesystem }
  outputs:
    - { name: http, match: "*", host: 127.0.0.1, port: ${sink.port}, format: json_lines, ${more} }
`;

const say = (text: string) => machine.must("sh", "-c", `echo "${text}" | systemd-cat -t test`);

describe.skipIf(withoutMachine !== "")("under a systemd of its own", () => {
  beforeAll(async () => {
    folder = new TempFolder();
    machine = await SystemdMachine.boot();
    sink = await MachineSink.start(machine);
    for (const version of ["0.0.1", "0.0.2"]) {
      copyFileSync(makePackage(folder, version, { version }), machine.at(`/root/${version}.deb`));
    }
  }, 180_000);
  afterAll(async () => {
    removeGoPlugins();
    await sink?.stop();
    await machine?.[Symbol.asyncDispose]();
    folder?.[Symbol.dispose]();
  });

  test("the package installs a service that runs at once and with the machine", async () => {
    machine.must("dpkg", "-i", "/root/0.0.1.deb");
    expect(isActive()).toBe("active");
    await untilStatus(/^2 inputs, 1 output, \d+ records? delivered$/);
    expect(machine.must("systemctl", "is-enabled", UNIT)).toBe("enabled\n");
    expect(machine.run("systemd-analyze", "verify", `${UNIT}.service`)).toEqual({
      status: 0,
      text: "",
    });
    expect(machine.must("stat", "-c", "%U %a", STATE)).toBe("logcollector 700\n");
  });

  test("the service has no privileges", () => {
    const text = readFileSync(machine.at(`/proc/${pid()}/status`), "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(text)![1];
    const uid = machine.must("id", "-u", "logcollector").trim();
    expect([field("Uid"), field("CapEff"), field("CapBnd"), field("NoNewPrivs"), field("Seccomp")])
      .toEqual([uid, "0000000000000000", "0000000000000000", "1", "2"]);
    const groups = /^Groups:\t(.*)$/m.exec(text)![1]!.trim().split(" ");
    for (const group of ["adm", "systemd-journal"]) {
      expect(groups).toContain(machine.must("getent", "group", group).split(":")[2]!);
    }
  });

  test("a reload takes up a configuration, and journal and files are delivered", async () => {
    write(CONFIG, config());
    write("/var/log/app/a.log", "from a file\n");
    machine.must("chgrp", "-R", "adm", "/var/log/app");
    machine.must("chmod", "640", "/var/log/app/a.log");
    say("from the journal");
    const before = pid();
    machine.must("systemctl", "reload", UNIT);
    await sink.untilText("from a file", journal);
    await sink.untilText("from the journal", journal);
    await untilStatus(/^2 inputs, 1 output, \d+ records delivered$/);
    expect(pid()).toBe(before);
  });

  test("a refused reload leaves the service as it was, and its status says why", async () => {
    write(CONFIG, config("compres: gzip"));
    machine.must("systemctl", "reload", UNIT);
    await untilStatus(
      /^last reload refused: \S+logcollector.yaml:\d+:\d+: .*"compres".*; 2 inputs, /,
    );
    expect(isActive()).toBe("active");
    say("after a refusal");
    await sink.untilText("after a refusal", journal);
  });

  test("what comes during a stop is delivered after the next start, once", async () => {
    write(CONFIG, config());
    machine.must("systemctl", "stop", UNIT);
    expect([machine.show(UNIT, "ActiveState"), machine.show(UNIT, "Result")]).toEqual([
      "inactive",
      "success",
    ]);
    say("while it was stopped");
    appendFileSync(machine.at("/var/log/app/a.log"), "also while it was stopped\n");
    machine.must("systemctl", "start", UNIT);
    await sink.untilText("while it was stopped", journal);
    await sink.untilText("also while it was stopped", journal);
    say("a last one");
    await sink.untilText("a last one", journal);
    expect([...sink.texts].sort()).toEqual([
      "a last one",
      "after a refusal",
      "also while it was stopped",
      "from a file",
      "from the journal",
      "while it was stopped",
    ]);
  });

  test("a secret that root alone may read comes by a credential", async () => {
    write("/etc/logcollector/credentials/token", "s3cret\n");
    machine.must("chmod", "700", "/etc/logcollector/credentials");
    edit("LoadCredential=token:/etc/logcollector/credentials/token");
    const env = 'env: [{ name: TOKEN, uri: "file://${CREDENTIALS_DIRECTORY}/token" }]';
    write(CONFIG, config('header: "Authorization Bearer ${TOKEN}"', env));
    machine.must("systemctl", "restart", UNIT);
    say("with a token");
    await sink.untilText("with a token", journal);
    expect(sink.deliveries.at(-1)!.authorization).toBe("Bearer s3cret");
    expect(journal()).not.toContain("s3cret");
  });

  test("workers, commands, names of hosts and the HTTP server work with nothing else allowed", async () => {
    write(
      "/etc/logcollector/shout.ts",
      `import { defineFilter, perRecord } from "logcollector/plugin";
import * as z from "zod";
export default defineFilter({ name: "shout", summary: "Shouts", config: z.object({}), create: (_, ctx) =>
  perRecord(ctx, (record) => ({ ...record, body: { log: String(record.body.exec).toUpperCase() } })) });
`,
    );
    write(
      CONFIG,
      `
service: { flush: 0.05, http_server: on, http_port: 2020 }
plugins: [{ path: shout.ts, isolation: worker }]
pipeline:
  inputs: [{ name: exec, tag: t, command: "id -un; nproc > /dev/null; sleep 0 & wait; echo done", oneshot: on }]
  filters: [{ name: shout, match: t }]
  outputs: [{ name: http, match: t, host: localhost, port: ${sink.port}, format: json_lines }]
`,
    );
    machine.must("systemctl", "restart", UNIT);
    await sink.untilText("DONE", journal);
    expect(sink.texts).toContain("LOGCOLLECTOR");
    const metrics = Bun.spawnSync([
      ...machine.inNetwork,
      process.execPath,
      "-e",
      'console.log(await (await fetch("http://127.0.0.1:2020/api/v2/health")).text())',
    ]);
    expect(JSON.parse(metrics.stdout.toString())).toMatchObject({ status: "ok" });
    expect(journal()).not.toMatch(/EPERM|not permitted/i);
  });

  test.skipIf(withoutGo)("a Go plugin works with nothing else allowed", async () => {
    copyFileSync(await goPlugin("out_records"), machine.at("/etc/logcollector/records.so"));
    write("/var/log/app/go.log", "through Go\n");
    write(
      CONFIG,
      `
service: { flush: 0.05 }
plugins: [/etc/logcollector/records.so]
pipeline:
  inputs: [{ name: tail, tag: t, path: /var/log/app/go.log, read_from_head: on }]
  outputs: [{ name: records, match: t, path: ${STATE}/go.jsonl }]
`,
    );
    machine.must("systemctl", "restart", UNIT);
    const written = machine.at(`${STATE}/go.jsonl`);
    const isWritten = () =>
      existsSync(written) && readFileSync(written, "utf8").includes("through Go");
    await eventually(isWritten, journal, 30_000);
    const host = machine.must("pgrep", "-f", "internal-go-host").trim();
    const env = readFileSync(machine.at(`/proc/${host}/environ`), "utf8");
    expect(env).toContain("STATE_DIRECTORY");
    expect(env).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/);
    machine.must("rm", "/var/log/app/go.log");
  }, 300_000);

  test("a service that was killed is started again and goes on where it was", async () => {
    edit("RestartSec=0");
    write(CONFIG, config());
    machine.must("systemctl", "restart", UNIT);
    const before = pid();
    machine.must("kill", "-KILL", String(before));
    await eventually(() => ![0, before].includes(pid()), journal, 30_000);
    await untilActive();
    say("after a kill");
    await sink.untilText("after a kill", journal);
  });

  test("a service that hangs is noticed by the watchdog and started again", async () => {
    edit("RestartSec=0\nWatchdogSec=1");
    const input = "{ name: tail, tag: t, path: /var/log/hang.log, read_from_head: on }";
    const script = '{ name: script, match: "*", code: "() => { while (true); }" }';
    write(
      CONFIG,
      `pipeline: { inputs: [${input}], filters: [${script}], outputs: [{ name: "null", match: "*" }] }`,
    );
    machine.must("systemctl", "restart", UNIT);
    const before = pid();
    write("/var/log/hang.log", "a line\n");
    await eventually(() => /Watchdog timeout/.test(journal()), journal, 30_000);
    machine.must("rm", "/var/log/hang.log");
    await eventually(() => ![0, before].includes(pid()), journal, 30_000);
    await untilActive();
    machine.must("rm", "-r", `/etc/systemd/system/${UNIT}.service.d`);
    machine.must("systemctl", "daemon-reload");
  });

  test("an update keeps the configuration and restarts the service", async () => {
    write(CONFIG, config());
    const before = pid();
    machine.must("dpkg", "-i", "/root/0.0.2.deb");
    expect(machine.must("dpkg-query", "-W", "-f", "${Version}", UNIT)).toBe("0.0.2");
    expect(readFileSync(machine.at(CONFIG), "utf8")).toBe(config());
    expect(isActive()).toBe("active");
    expect(pid()).not.toBe(before);
    say("after an update");
    await sink.untilText("after an update", journal);
  });

  test("a service that was disabled stays so at an update", () => {
    machine.must("systemctl", "disable", "--now", UNIT);
    machine.must("dpkg", "-i", "/root/0.0.1.deb");
    expect([isActive(), machine.run("systemctl", "is-enabled", UNIT).text.trim()]).toEqual([
      "inactive",
      "disabled",
    ]);
    machine.must("systemctl", "enable", "--now", UNIT);
  });

  test("removing the package keeps configuration and state, and purging leaves nothing", () => {
    machine.must("dpkg", "--remove", UNIT);
    expect(isActive()).toBe("inactive");
    expect([CONFIG, STATE, "/usr/bin/logcollector"].map(exists)).toEqual([true, true, false]);
    machine.must("dpkg", "--purge", UNIT);
    const left = machine.must(
      "find",
      ...["/etc", "/usr/bin", "/usr/lib", "/usr/share", "/var/lib"],
      ...["-name", "*logcollector*", "-not", "-path", "*/node_modules/*"],
    );
    expect(left).toBe("");
    expect(machine.run("getent", "passwd", "logcollector").status).not.toBe(0);
    expect(machine.run("systemctl", "status", UNIT).text).toContain("could not be found");
  });

  test("install.sh makes the service run, brings it up to date, and takes it away", async () => {
    for (const path of ["scripts/install.sh", "config/systemd", "docs/service.md"]) {
      mkdirSync(machine.at(`/root/source/${path.split("/")[0]}`), { recursive: true });
      cpSync(path, machine.at(`/root/source/${path}`), { recursive: true });
    }
    mkdirSync(machine.at("/root/source/dist"));
    copyFileSync("dist/logcollector", machine.at("/root/source/dist/logcollector"));
    const install = "/root/source/scripts/install.sh";
    expect(machine.must(install)).toContain("The service runs.");
    await untilStatus(/^2 inputs, 1 output/);
    const before = pid();
    machine.must(install);
    expect(pid()).toBe(before);
    appendFileSync(machine.at("/root/source/config/systemd/logcollector.service"), "# newer\n");
    machine.must(install);
    expect(isActive()).toBe("active");
    expect(pid()).not.toBe(before);
    expect(statSync(machine.at("/usr/local/bin/logcollector")).mode & 0o777).toBe(0o755);

    machine.must("systemctl", "disable", "--now", UNIT);
    appendFileSync(machine.at("/root/source/config/systemd/logcollector.service"), "# newest\n");
    machine.must(install);
    expect(machine.run("systemctl", "is-enabled", UNIT).text).toBe("disabled\n");
    expect(isActive()).toBe("inactive");

    machine.must(install, "--purge");
    expect(isActive()).toBe("inactive");
    expect(existsSync(machine.at("/etc/logcollector"))).toBe(false);
    expect(exists(STATE)).toBe(false);
    expect(machine.run("systemctl", "status", UNIT).text).toContain("could not be found");
  });
});
