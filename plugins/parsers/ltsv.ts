import { type Body, defineParser, type Parser, setField } from "logcollector/plugin";
import * as z from "zod";

const TAB = 0x09;
const COLON = 0x3a;

export default defineParser({
  name: "ltsv",
  summary: "Reads `label:value` pairs separated by tabs.",
  config: z.object({}),
  create: (): Parser => ({ parse: parseLine }),
});

/** What follows a piece that is no pair is left out; without any pair the line does not match. */
function parseLine(line: string): Body | null {
  const body: Body = {};
  let found = false;
  let at = 0;
  while (at < line.length) {
    const labelStart = at;
    while (isLabelCode(line.charCodeAt(at))) at++;
    if (line.charCodeAt(at) !== COLON) break;
    const label = line.slice(labelStart, at);
    const valueStart = ++at;
    while (at < line.length && isValueCode(line.charCodeAt(at))) at++;
    if (label !== "") {
      setField(body, label, line.slice(valueStart, at));
      found = true;
    }
    if (line.charCodeAt(at) === TAB) at++;
  }
  return found ? body : null;
}

function isLabelCode(code: number): boolean {
  const lower = code | 32;
  return (lower >= 0x61 && lower <= 0x7a && code < 0x80) || (code >= 0x30 && code <= 0x39) ||
    code === 0x2d || code === 0x2e || code === 0x5f;
}

/** Everything but tab, line ends, NUL and the shift-out character. */
function isValueCode(code: number): boolean {
  return code > 0x0e ||
    (code !== TAB && code !== 0x0a && code !== 0x0d && code !== 0 && code !== 0x0e);
}
