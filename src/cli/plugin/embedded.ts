import modules from "../../../dist/embedded/author-modules.zst.txt" with { type: "file" };
import types from "../../../dist/embedded/logcollector-sdk.d.ts.txt" with { type: "file" };

// Files of the build inside the executable. They stay on disk until somebody reads them.

/** `logcollector/plugin`, `logcollector/testing` and zod as one module. */
export async function readAuthorModules(): Promise<string> {
  return new TextDecoder().decode(await Bun.zstdDecompress(await Bun.file(modules).arrayBuffer()));
}

/** The types of the same, as ambient modules. */
export function readTypes(): Promise<string> {
  return Bun.file(types).text();
}
