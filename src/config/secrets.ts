import { type ConfigNode, secretTexts, textsOf } from "./node.ts";

const SECRET_NAME =
  /passw|passphrase|token|secret|credential|authori[sz]ation|api_?key|(shared|private|access|license|account)_key$|^(https?_user|cloud_auth)$/i;
/** Options whose text may hold anything, a token too. */
const FREE_TEXT = new Set(["header", "headers"]);

/** True for an option whose value must never be shown, judged by its name. */
export function isSecretName(option: string): boolean {
  return SECRET_NAME.test(option) || FREE_TEXT.has(option.toLowerCase());
}

/** True when the option's value must not appear in a message. */
export function isSecret(option: string, value: ConfigNode): boolean {
  if (isSecretName(option)) return true;
  for (const _ of secretTexts(value)) return true;
  return false;
}

/** The texts that must not appear in a message about this option. */
export function secretsOf(option: string, value: ConfigNode): string[] {
  return [...(isSecretName(option) ? textsOf(value) : secretTexts(value))];
}

/** Replaces every secret in a text by `***`, the longest first. */
export function redact(text: string, secrets: Iterable<string>): string {
  const found = [...secrets].filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  let result = text;
  for (const secret of found) {
    result = result.replaceAll(secret, "***");
    const quoted = JSON.stringify(secret).slice(1, -1);
    if (quoted !== secret) result = result.replaceAll(quoted, "***");
  }
  return result;
}
