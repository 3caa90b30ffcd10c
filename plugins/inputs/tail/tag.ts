import type { Pattern } from "logcollector/plugin";

/**
 * The tag for a file: `*` becomes its path with dots for slashes, or, with `tag_regex`, each `<name>`
 * becomes what the expression found in the path (`_` when it found nothing).
 *
 * Returns `null` when the expression does not match the path.
 */
export function tagForFile(tag: string, path: string, regex: Pattern | undefined): string | null {
  if (regex !== undefined) return expandNames(tag, path, regex);
  const star = tag.indexOf("*");
  if (star === -1) return tag;
  const full = tag.slice(0, star) + path + tag.slice(star + 1);
  return full.replace(/^[/\\:]+/, "").replace(/[/\\:]/g, ".").replaceAll("*", "")
    .replace(/\.{2,}/g, ".").replace(/\.$/, "");
}

function expandNames(tag: string, path: string, regex: Pattern): string | null {
  const match = regex.exec(path);
  if (match === null) return null;
  return tag.replace(/<([^<>]*)>/g, (_, name: string) => {
    const at = regex.names.indexOf(name);
    return (at === -1 ? undefined : match[at + 1]) || "_";
  });
}
