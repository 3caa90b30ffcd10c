import * as z from "zod";
import { PARSER_SCHEMAS } from "../loader/parser-schemas.ts";
import { builtins } from "../loader/registry.ts";
import type { Command } from "./arguments.ts";
import { docs } from "./docs.ts";
import { plugins } from "./plugins.ts";
import { run, type RunIo } from "./run.ts";
import { schema } from "./schema.ts";

// Options are read once: making code for each schema costs more than it saves.
z.config({ jitless: true });

const CATALOG = { registry: builtins, parserSchemas: PARSER_SCHEMAS };

/** Commands that run a pipeline, or tell what one can be made of. Gives the exit status. */
export async function pipelineCommand(
  command: Extract<Command, { readonly name: "run" | "plugins" | "schema" | "docs" }>,
  io: RunIo,
): Promise<number> {
  switch (command.name) {
    case "run":
      return await run(command, io);
    case "plugins":
      return plugins(command.plugin, io, CATALOG);
    case "schema":
      return schema(io, CATALOG);
    case "docs":
      return docs(io, CATALOG);
  }
}
