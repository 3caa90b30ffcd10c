/**
 * Makes text from outside harmless in a log: it cannot control a terminal, forge a second line, or turn
 * the reading direction around. Tabs stay.
 */
export function printable(text: string): string {
  return text.replace(UNSAFE, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** The same for text that is already JSON, where `\x` does not exist. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (c) => `\\u${hex(c.charCodeAt(0), 4)}`);
}

// Control characters of both blocks, line and paragraph separators, and the marks that change direction.
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
