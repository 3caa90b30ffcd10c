import { PARSER_SCHEMAS } from "../loader/parser-schemas.ts";
import { builtins } from "../loader/registry.ts";
import type { Command } from "./arguments.ts";
import { run, type RunIo } from "./run.ts";

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
      return (require("./plugins.ts") as typeof import("./plugins.ts")).plugins(
        command.plugin,
        io,
        CATALOG,
      );
    case "schema":
      return (require("./schema.ts") as typeof import("./schema.ts")).schema(io, CATALOG);
    case "docs":
      return (require("./docs.ts") as typeof import("./docs.ts")).docs(io, CATALOG);
  }
}
