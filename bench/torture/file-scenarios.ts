import { MAX_LINE_BYTES, type Plan } from "./plan.ts";
import type { Scenario } from "./scenario.ts";

const NO_GZ = { exclude_path: "*.gz" };

/** A line with bytes in the middle that are not UTF-8. In their place anything may be. */
export function invalidLine(plan: Plan, source: string): Buffer {
  const bad = plan.random.pick(["ff", "c080", "eda080", "f09f98", "f5808080", "80", "c3"]);
  const line: string = plan.line(source, "before<>after", (log) => {
    const at = line.indexOf("<") + 1;
    return log.startsWith(line.slice(0, at)) && log.endsWith(line.slice(at));
  });
  const at = line.indexOf("<") + 1;
  return Buffer.concat([
    Buffer.from(line.slice(0, at)),
    Buffer.from(bad, "hex"),
    Buffer.from(`${line.slice(at)}\n`),
  ]);
}

/** A line of so many bytes; above the limit its beginning is enough. */
export function longLine(plan: Plan, source: string, bytes: number): string {
  const text: string = plan.line(
    source,
    "x".repeat(bytes),
    (log) =>
      bytes < MAX_LINE_BYTES - 100
        ? log === text
        : log.length > 0.9 * MAX_LINE_BYTES && text.startsWith(log),
  );
  return `${text}\n`;
}

/** Writes lines in pieces: a line's end comes later than its start. */
export function writeInPieces(plan: Plan, file: string, source: string, most: number): void {
  const bytes = Buffer.from(plan.text(source, 10));
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at += 1 + plan.random.below(most));
    plan.append(file, piece);
    plan.pause(plan.random.below(40));
  }
}

function copytruncate(plan: Plan, counts: (round: number) => number): void {
  plan.start();
  // Lines of one width, so that their number says how long the content is.
  const text = (count: number) => {
    let lines = "";
    for (let i = 0; i < count; i++) lines += `${plan.line("app", String(1e6 + plan.written))}\n`;
    return lines;
  };
  plan.append("app.log", text(1000));
  for (let round = 0; round < 6; round++) {
    plan.settle();
    plan.files((folder) => folder.copyAndTruncate("app.log", `old/app.${round}`));
    plan.append("app.log", text(counts(round)));
  }
}

function rotateFast(plan: Plan, rotations: number, pauseMs: number): void {
  plan.write("app.log", "app", 5);
  plan.start();
  plan.settle();
  for (let i = 0; i < rotations; i++) {
    plan.write("app.log", "app", 3);
    plan.files((folder) => folder.rotate("app.log"));
    plan.write("app.log", "app");
    plan.pause(pauseMs);
  }
}

/** Rotation as most daemons meet it: the writer goes on in the renamed file for a while. */
function rotate(plan: Plan): void {
  plan.files((folder) => folder.openFor("app", "app.log"));
  const write = () => {
    const text = plan.text("app", 1 + plan.random.below(40));
    plan.files((folder) => folder.writeBy("app", text));
    plan.pause(plan.random.below(100));
  };
  write();
  plan.start();
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 5; i++) write();
    // In the middle of a line, every other time.
    const half = round % 2 === 0 ? "" : `${plan.line("app", "two halves")}\n`;
    plan.files((folder) => folder.writeBy("app", half.slice(0, 12)));
    plan.pause(150);
    plan.files((folder) => folder.rotate("app.log"));
    plan.pause(150);
    plan.files((folder) => folder.writeBy("app", half.slice(12)));
    write();
    plan.files((folder) => folder.openFor("app", "app.log"));
  }
  write();
}

function packedWhileStopped(plan: Plan): void {
  plan.write("app.log", "app", 5);
  plan.start();
  plan.settle();
  plan.stop();
  plan.write("app.log", "app", 5);
  plan.files((folder) => folder.rotate("app.log"));
  plan.files((folder) => folder.gzip("app.log.1"));
  plan.write("app.log", "app", 5);
  plan.start();
}

export const CONTENT_SCENARIOS: readonly Scenario[] = [
  {
    name: "appended to",
    path: "*.log",
    plan(plan) {
      plan.write("a.log", "a", 5);
      plan.start();
      for (let i = 0; i < 60; i++) plan.write(`${"abc"[i % 3]}.log`, "abc"[i % 3]!, 3);
    },
  },
  {
    name: "lines that are written in pieces",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 4; i++) writeInPieces(plan, "a.log", "a", 60);
    },
  },
  {
    name: "lines of 100 KB, and of 1 MB (cut)",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 12; i++) {
        plan.write("a.log", "a", 3);
        plan.append("a.log", longLine(plan, "a", i % 3 === 2 ? 1_000_000 : 100_000));
      }
      plan.write("a.log", "a", 3);
    },
  },
  {
    name: "a hole of zeros after a truncation",
    path: "*.log",
    plan(plan) {
      plan.write("a.log", "a", 10);
      plan.start();
      for (let i = 0; i < 5; i++) {
        plan.settle();
        const text = plan.text("a", 20);
        plan.files((folder) => folder.truncateWithHole("a.log", text));
        plan.write("a.log", "a", 3);
      }
    },
  },
  {
    name: "bytes that are not UTF-8",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 60; i++) {
        plan.append("a.log", invalidLine(plan, "a"));
        plan.write("a.log", "a", 1, 5);
      }
    },
  },
  {
    name: "CR LF, cut between the two",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 30; i++) {
        const text = plan.text("a", 5, "\r\n");
        plan.append("a.log", text.slice(0, -1));
        plan.pause(30);
        plan.append("a.log", text.slice(-1));
      }
    },
  },
  {
    name: "files with the same first lines",
    path: "*.log",
    plan(plan) {
      const head = plan.line("head", "id,name,".repeat(150));
      const names = ["a", "b", "c", "d"];
      names.forEach((name, i) => {
        plan.append(`${name}.log`, `${i === 0 ? head : plan.again(head)}\n`);
      });
      plan.start();
      plan.settle();
      for (const name of names) plan.write(`${name}.log`, name, 5);
      plan.settle();
      plan.stop();
      for (const name of names) plan.write(`${name}.log`, name, 5);
      plan.start();
      for (const name of ["e", "f"]) plan.append(`${name}.log`, `${plan.again(head)}\n`);
    },
  },
];

export const ROTATION_SCENARIOS: readonly Scenario[] = [
  { name: "renamed, `app.log`", path: "app.log", plan: rotate },
  { name: "renamed, `app.log*`", path: "app.log*", plan: rotate },
  {
    name: "renamed twice within milliseconds, `app.log`",
    path: "app.log",
    plan(plan) {
      rotateFast(plan, 1, 0);
      for (let i = 0; i < 4; i++) {
        plan.pause(500);
        plan.files((folder) => folder.rotate("app.log"));
        plan.write("app.log", "app");
        plan.files((folder) => folder.rotate("app.log"));
        plan.write("app.log", "app");
      }
    },
  },
  {
    name: "renamed 40 times, every 100 ms, `app.log*`",
    path: "app.log*",
    plan: (plan) => rotateFast(plan, 40, 100),
  },
  {
    name: "copied and truncated, shorter then",
    path: "app.log",
    plan: (plan) => copytruncate(plan, (round) => 900 - 100 * round),
  },
  {
    name: "copied and truncated, as long then",
    path: "app.log",
    plan: (plan) => copytruncate(plan, () => 1000),
  },
  {
    name: "copied and truncated, longer then",
    path: "app.log",
    plan: (plan) => copytruncate(plan, (round) => 1500 + 500 * round),
  },
  {
    name: "rotated, then packed by gzip, `app.log*`",
    path: "app.log*",
    peer: NO_GZ,
    plan(plan) {
      plan.write("app.log", "app", 5);
      plan.start();
      for (let i = 0; i < 4; i++) {
        plan.settle();
        plan.files((folder) => folder.rotate("app.log"));
        plan.write("app.log", "app", 5);
        plan.settle();
        plan.files((folder) => folder.gzip("app.log.1"));
        plan.write("app.log", "app", 5);
      }
    },
  },
  {
    name: "rotated and packed while it is stopped, `app.log`",
    path: "app.log",
    plan: packedWhileStopped,
  },
  {
    name: "rotated and packed while it is stopped, `app.log*`",
    path: "app.log*",
    plan: packedWhileStopped,
  },
];

export const IDENTITY_SCENARIOS: readonly Scenario[] = [
  {
    name: "new files that come late",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 10; i++) {
        plan.pause(300);
        plan.write(`new${i}.log`, `new${i}`, 2);
      }
    },
  },
  {
    name: "new files that live for 0.3 s",
    path: "*.log",
    plan(plan) {
      plan.start();
      for (let i = 0; i < 10; i++) {
        plan.write(`new${i}.log`, `new${i}`);
        plan.pause(300);
        plan.files((folder) => folder.remove(`new${i}.log`));
        plan.pause(100);
      }
    },
  },
  {
    name: "deleted and made again",
    path: "app.log",
    plan(plan) {
      plan.write("app.log", "app", 5);
      plan.start();
      for (let i = 0; i < 6; i++) {
        plan.settle();
        plan.write("app.log", "app", 3);
        plan.files((folder) => folder.remove("app.log"));
        plan.write("app.log", "app", 3);
      }
    },
  },
  {
    name: "another file with the same inode",
    path: "*.log",
    rotateWait: 1,
    plan(plan) {
      plan.start();
      for (let i = 0; i < 5; i++) {
        // Longer each time: an old position would lie in it.
        plan.append(`new${i}.log`, plan.text(`new${i}`, 50 + 20 * i));
        plan.settle();
        plan.files((folder) => folder.remove(`new${i}.log`));
        plan.pause(4000);
      }
    },
  },
  {
    name: "another file with the same inode, after a stop",
    path: "*.log",
    plan(plan) {
      for (let i = 0; i < 4; i++) {
        plan.append(`new${i}.log`, plan.text(`new${i}`, 50 + 20 * i));
        plan.start();
        plan.settle();
        plan.stop();
        plan.files((folder) => folder.remove(`new${i}.log`));
      }
      plan.append("last.log", plan.text("last", 200));
      plan.start();
    },
  },
  {
    name: "a second name for a file",
    path: "*.log",
    plan(plan) {
      plan.write("a.log", "a", 5);
      plan.start();
      plan.settle();
      plan.files((folder) => folder.hardLink("a.log", "b.log"));
      plan.write("b.log", "a", 5);
      plan.settle();
      plan.stop();
      plan.write("a.log", "a", 5);
      plan.start();
      plan.settle();
      plan.files((folder) => folder.remove("a.log"));
      plan.write("b.log", "a", 5);
    },
  },
  {
    name: "a link that changes its target",
    path: "current.log",
    plan(plan) {
      plan.write("target0", "app", 5);
      plan.files((folder) => folder.pointTo("current.log", "target0"));
      plan.start();
      for (let i = 1; i < 5; i++) {
        plan.settle();
        plan.write("current.log", "app", 5);
        plan.write(`target${i}`, "app");
        plan.files((folder) => folder.pointTo("current.log", `target${i}`));
        plan.write("current.log", "app", 5);
      }
    },
  },
];
