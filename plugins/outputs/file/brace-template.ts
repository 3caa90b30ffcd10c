import { formatValueText, type LogRecord } from "logcollector/plugin";

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "time" }
  | { readonly kind: "field"; readonly name: string };

/**
 * Compiles a line such as `{time} {message}`. A field that a record does not have leaves its braces where
 * they are; an opening brace without its closing one is text.
 */
export function compileBraces(template: string): (record: LogRecord) => string {
  const parts = parse(template);
  return ({ sec, nsec, body }) => {
    let line = "";
    for (const part of parts) {
      if (part.kind === "text") line += part.text;
      else if (part.kind === "time") line += (sec + nsec / 1e9).toFixed(6);
      else if (!Object.hasOwn(body, part.name)) line += `{${part.name}}`;
      else {
        const value = body[part.name]!;
        line += typeof value === "string" ? value : formatValueText(value);
      }
    }
    return `${line}\n`;
  };
}

function parse(template: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of template.matchAll(/\{([^{}]*)\}/g)) {
    if (found.index > end) parts.push({ kind: "text", text: template.slice(end, found.index) });
    const name = found[1]!;
    // Fluent Bit compares only as many letters as there are, so {t}, {ti} and {} are the time as well.
    parts.push("time".startsWith(name) ? { kind: "time" } : { kind: "field", name });
    end = found.index + found[0].length;
  }
  if (end < template.length) parts.push({ kind: "text", text: template.slice(end) });
  return parts;
}
