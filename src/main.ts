#!/usr/bin/env bun
import { writeSync } from "node:fs";
import { type Command, parseArguments, UsageError } from "./cli/arguments.ts";
import { EXIT } from "./cli/command-io.ts";
import type { DlqIo } from "./cli/dlq/show.ts";
import { help } from "./cli/help.ts";
import type { RunIo } from "./cli/run.ts";
import { startWithOptions } from "./cli/runtime-options.ts";
import { textPages } from "./cli/text-pages.ts";
import { version } from "./cli/version.ts";
import { isTerminal } from "./lib/is-terminal.ts";

// The composition root: the only place that reads argv, installs signal handlers and exits. A command is
// loaded when it is asked for: a probe of the health must not load what runs a pipeline.

const io: RunIo & DlqIo = {
  stdout: (text) => writeAll(1, Buffer.from(text)),
  stdoutBytes: (bytes) => writeAll(1, bytes),
  stderr: (text) => writeAll(2, Buffer.from(text)),
  onStop(call) {
    const signals = ["SIGTERM", "SIGINT", ...(onTerminal() ? ["SIGHUP"] as const : [])] as const;
    for (const signal of signals) process.on(signal, () => call(signal));
  },
  onHangUp(call) {
    if (!onTerminal()) process.on("SIGHUP", call);
  },
  onFault(call) {
    process.on("uncaughtException", call);
    process.on("unhandledRejection", call);
  },
};

/** On a terminal SIGHUP says that the window was closed; a service manager sends it for a reload. */
function onTerminal(): boolean {
  return isTerminal(0);
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A pipe that is full for the moment says EAGAIN; one that nobody reads any more says EPIPE.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}

async function execute(command: Command): Promise<number> {
  switch (command.name) {
    case "help":
      return help(io);
    case "version":
      return version(io);
    case "health": {
      const { health } = require("./cli/health/mod.ts") as typeof import("./cli/health/mod.ts");
      return await health(command.args, io);
    }
    case "plugin": {
      const { plugin } = require("./cli/plugin/mod.ts") as typeof import("./cli/plugin/mod.ts");
      return await plugin(command.args, io);
    }
    case "dlq": {
      const { dlq } = require("./cli/dlq/mod.ts") as typeof import("./cli/dlq/mod.ts");
      return await dlq(command.args, io);
    }
    case "queue": {
      const { queue } = require("./cli/queue/mod.ts") as typeof import("./cli/queue/mod.ts");
      return await queue(command.args, io);
    }
    case "journal": {
      const { journal } = require("./cli/journal/mod.ts") as typeof import("./cli/journal/mod.ts");
      return await journal(command.args, io);
    }
    default: {
      if (command.name === "run") {
        if (!command.dryRun) startWithOptions();
        // Before all that takes memory: the peak is not to be that of the start.
        textPages().release();
      }
      require("./config/schemas-without-code.ts");
      const { pipelineCommand } = require(
        "./cli/pipeline-command.ts",
      ) as typeof import("./cli/pipeline-command.ts");
      return await pipelineCommand(command, io);
    }
  }
}

async function main(): Promise<number> {
  try {
    return await execute(parseArguments(process.argv.slice(2)));
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`${error.message}\n`);
      return EXIT.usage;
    }
    io.stderr(`logcollector failed: ${error instanceof Error ? error.stack : error}\n`);
    return EXIT.failed;
  }
}

type GoHosting = typeof import("./hosts/go/child/main.ts");
const [, , word, ...words] = process.argv;

if (word === "internal-go-host") {
  // The process of a Go plugin. It must not end a runtime that the plugin's threads still use: it leaves by itself.
  const { runChild }: GoHosting = require("./hosts/go/child/main.ts");
  runChild(words[0]!, Number(words[1]));
} else void main().then((status) => process.exit(status));
