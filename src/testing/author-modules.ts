/**
 * Everything that a plugin author's tests import, as one file: it is built into the executable, which gives it to
 * the tests that it runs.
 *
 * @module
 */
export * as plugin from "../sdk/mod.ts";
export * as testing from "./mod.ts";
export * as zod from "zod";
