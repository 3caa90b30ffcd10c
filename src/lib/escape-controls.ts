// All of C0 and C1 but the tab and the newline, which cannot hide or overwrite anything.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Makes control characters visible, so that a log line cannot speak to the terminal that shows it. */
export function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
