/**
 * Compiles a `match` rule: `*` stands for any run of characters, everything else for itself. Case matters.
 */
export function compileTagMatch(rule: string): (tag: string) => boolean {
  const parts = rule.split("*");
  const head = parts[0]!;
  const tail = parts.at(-1)!;
  if (parts.length === 1) return (tag) => tag === rule;
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  if (middle.length === 0 && head === "" && tail === "") return () => true;
  return (tag) => {
    if (tag.length < head.length + tail.length) return false;
    if (!tag.startsWith(head) || !tag.endsWith(tail)) return false;
    // The first place for each part is as good as any later one.
    let from = head.length;
    const end = tag.length - tail.length;
    for (const part of middle) {
      const at = tag.indexOf(part, from);
      if (at === -1 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}
