import { invalidLine, longLine, writeInPieces } from "./file-scenarios.ts";
import type { Plan } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import type { SinkMode } from "./torture-sink.ts";

/** It takes what comes half of the time, and is back to that sooner or later. */
const MODES: readonly SinkMode[] = [
  "takes",
  "takes",
  "takes",
  "takes",
  "takes",
  "takes",
  "refuses",
  "hangs",
  "resets",
  "forgets",
  "slow",
  "down",
];

/** Chance decides what happens next, to several files, the process and the destination. */
class Chaos {
  private isRunning = true;
  private mode: SinkMode = "takes";
  private newFiles = 0;
  private targets = 0;

  constructor(private readonly plan: Plan) {}

  play(events: number): void {
    const { plan } = this;
    for (const file of ["renamed", "copied", "deleted", "holed", "linked"]) {
      plan.write(`${file}.log`, file, 3);
    }
    plan.write("target0", "current");
    plan.files((folder) => folder.pointTo("current.log", "target0"));
    plan.start();
    plan.settle();
    for (let i = 0; i < events; i++) {
      this.writeSome();
      plan.random.pick(this.isRunning ? this.whileRunning : this.whileDown)();
    }
    if (!this.isRunning) plan.start();
    plan.sink("takes");
  }

  private readonly rename = (): void => {
    this.plan.files((folder) => folder.rotate("renamed.log"));
    this.plan.write("renamed.log", "renamed");
  };

  private readonly comesNew = (): void => {
    const source = `new${this.newFiles++}`;
    this.plan.write(`${source}.log`, source, 2);
  };

  private readonly pieces = (): void => writeInPieces(this.plan, "linked.log", "linked", 200);

  private readonly oddBytes = (): void => {
    this.plan.append("deleted.log", invalidLine(this.plan, "deleted"));
    this.plan.append("copied.log", this.plan.text("copied", 5, "\r\n"));
  };

  private readonly long = (): void =>
    this.plan.append("holed.log", longLine(this.plan, "holed", this.plan.random.pick([9e4, 6e5])));

  private readonly start = (): void => {
    this.plan.start();
    this.isRunning = true;
  };

  private readonly kill = (): void => {
    this.plan.kill();
    this.isRunning = false;
  };

  private readonly changeSink = (): void => {
    this.mode = this.plan.random.pick(MODES);
    this.plan.sink(this.mode);
  };

  private readonly copyAndTruncate = (): void => {
    this.letRead();
    const copy = `old/copied.${this.plan.written}`;
    this.plan.files((folder) => folder.copyAndTruncate("copied.log", copy));
    this.plan.write("copied.log", "copied", 1, 150);
  };

  private readonly leaveHole = (): void => {
    this.letRead();
    const text = this.plan.text("holed", 5);
    this.plan.files((folder) => folder.truncateWithHole("holed.log", text));
  };

  private readonly deleteAndMake = (): void => {
    this.letRead();
    this.plan.files((folder) => folder.remove("deleted.log"));
    this.plan.write("deleted.log", "deleted");
  };

  private readonly swapLink = (): void => {
    this.letRead();
    const target = `target${++this.targets}`;
    this.plan.write(target, "current");
    this.plan.files((folder) => folder.pointTo("current.log", target));
  };

  private readonly link = (): void => {
    const other = `linked-${this.plan.written}.log`;
    this.plan.files((folder) => folder.hardLink("linked.log", other));
  };

  private readonly pack = (): void => {
    this.rename();
    this.letRead();
    this.plan.files((folder) => folder.gzip("renamed.log.1"));
  };

  private readonly whileDown = [this.rename, this.comesNew, this.pieces, this.start, this.start];
  private readonly whileRunning = [
    ...[this.rename, this.comesNew, this.pieces, this.oddBytes, this.long, this.kill],
    ...[this.changeSink, this.changeSink, this.copyAndTruncate, this.leaveHole],
    ...[this.deleteAndMake, this.swapLink, this.link, this.pack],
  ];

  private writeSome(): void {
    const { plan } = this;
    for (const file of ["renamed", "copied", "deleted", "holed", "linked"]) {
      if (plan.random.below(2) === 0) plan.write(`${file}.log`, file, 2);
    }
    plan.write("current.log", "current");
  }

  /** What is destroyed next must have been read: nobody can do better. */
  private letRead(): void {
    if (this.mode === "takes") this.plan.settle();
    else this.plan.pause(3000);
  }
}

export const MIXED: Scenario = {
  name: "everything at once",
  path: "*.log*",
  peer: { exclude_path: "*.gz" },
  plan: (plan) => new Chaos(plan).play(60),
};
