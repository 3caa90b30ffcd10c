import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import exec from "../../../plugins/inputs/exec.ts";
import { eventually } from "../../support/eventually.ts";
import { InputDriver } from "../../support/input-driver.ts";
import { TempFolder } from "../../support/temp-folder.ts";

const once = { oneshot: true, interval_sec: 0 };

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

test("exec makes a record of every line, also of a last one without a break", async () => {
  await using input = new InputDriver(exec, { command: "printf 'a\\nü b\\n\\nc'", ...once });
  await input.untilReturned();
  expect(input.values("exec")).toEqual(["a", "ü b", "", "c"]);
  expect(input.stopsWhenDone).toBe(false);
});

test("exec runs its command again after each interval", async () => {
  await using input = new InputDriver(exec, {
    command: "echo $$",
    interval_sec: 0,
    interval_nsec: 20_000_000,
  });
  await input.untilRecords(3);
  expect(new Set(input.values("exec")).size).toBe(input.records.length);
});

test("exec gives long lines in pieces", async () => {
  await using input = new InputDriver(exec, {
    command: "printf '%0100d\\nend\\n' 7",
    buf_size: 33,
    ...once,
  });
  await input.untilReturned();
  expect(input.values("exec").map((text) => String(text).length)).toEqual([32, 32, 32, 4, 3]);
  expect(input.values("exec").join("")).toBe(`${"0".repeat(99)}7end`);
});

test("exec ends the command and what it started when it is stopped", async () => {
  using folder = new TempFolder();
  const command = `sleep 300 & echo $! > ${folder.at("pid")}; echo ready; wait`;
  const input = new InputDriver(exec, { command, ...once });
  await input.untilRecords(1);
  const pid = Number(readFileSync(folder.at("pid"), "utf8"));
  expect(runs(pid)).toBe(true);
  await input.stop();
  await eventually(() => !runs(pid));
});

test("exec ends a command that does not want to end", async () => {
  const input = new InputDriver(exec, {
    command: "trap '' TERM; echo $$; while :; do sleep 0.1; done",
    ...once,
  });
  await input.untilRecords(1);
  const pid = Number(input.values("exec")[0]);
  await input.stop();
  await eventually(() => !runs(pid));
});

test("exec stops reading, and so the command, while the pipeline is full", async () => {
  using folder = new TempFolder();
  const doors: (() => void)[] = [];
  const input = new InputDriver(exec, {
    command: `head -c 20000000 /dev/zero | tr '\\0' '\\n'; echo done > ${folder.at("done")}`,
    ...once,
  }, { emit: () => new Promise<void>((resolve) => void doors.push(resolve)) });
  await eventually(() => doors.length === 1);
  await Bun.sleep(200);
  expect([doors.length, input.batches.length, existsSync(folder.at("done"))]).toEqual([
    1,
    1,
    false,
  ]);
  const stopping = input.stop();
  doors.shift()!();
  await eventually(() => {
    doors.shift()?.();
    return input.returned;
  });
  await stopping;
});

test("exec reports what the command ended with when it is to be the collector's status", async () => {
  const options = { command: "echo x; exit 7", oneshot: true, exit_after_oneshot: true };
  await using silent = new InputDriver(exec, options);
  await silent.untilReturned();
  expect([silent.exitStatus, silent.stopsWhenDone]).toEqual([undefined, true]);
  await using telling = new InputDriver(exec, { ...options, propagate_exit_code: true });
  await telling.untilReturned();
  expect(telling.exitStatus).toBe(7);
  await using killed = new InputDriver(exec, {
    ...options,
    command: "kill -9 $$",
    propagate_exit_code: true,
  });
  await killed.untilReturned();
  expect(killed.exitStatus).toBe(137);
  await using missing = new InputDriver(exec, {
    ...options,
    command: "no-such-command-at-all 2>/dev/null",
    propagate_exit_code: true,
  });
  await missing.untilReturned();
  expect(missing.exitStatus).toBe(127);
});

test("exec gives each line to its parser and leaves out what the parser does not take", async () => {
  await using input = new InputDriver(exec, {
    command: "echo 1; echo x; echo 2",
    parser: "n",
    ...once,
  }, {
    ctx: {
      parser: () => ({
        name: "n",
        parse: (line, sec, nsec) =>
          /^\d$/.test(line) ? { sec, nsec, body: { n: Number(line) } } : null,
      }),
    },
  });
  await input.untilReturned();
  expect(input.bodies).toEqual([{ n: 1 }, { n: 2 }]);
  expect(input.ctx.counters.get("input_unparsed_lines_total")!.value).toBe(1);
});
