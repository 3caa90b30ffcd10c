import { type ConfigNode, entryOf, type MapNode } from "./node.ts";
import type { Problems } from "./problem.ts";

/** The variables that `${NAME}` may name: the `env` section's, then the system's. */
export class Variables {
  private readonly own = new Map<string, string>();
  private readonly system: Readonly<Record<string, string | undefined>>;

  constructor(system: Readonly<Record<string, string | undefined>>, hostname: string) {
    this.system = system;
    this.own.set("HOSTNAME", hostname);
  }

  set(name: string, value: string): void {
    this.own.set(name, value);
  }

  get(name: string): string | undefined {
    return this.own.get(name) ?? this.system[name];
  }

  names(): string[] {
    return [...this.own.keys(), ...Object.keys(this.system)];
  }

  /** Replaces `${NAME}` and `${NAME:-default}`; `missing` names what is not set. */
  expand(text: string): { text: string; used: boolean; missing: string[] } {
    const missing: string[] = [];
    let used = false;
    const expanded = text.replace(/\$\{([^}]+)\}/g, (whole, inner: string) => {
      const at = inner.indexOf(":-");
      const name = at === -1 ? inner : inner.slice(0, at);
      const value = this.get(name);
      used = true;
      // As in a shell, `:-` also stands in for a variable that is set to nothing.
      if (at !== -1) return value === undefined || value === "" ? inner.slice(at + 2) : value;
      if (value === undefined) missing.push(name);
      return value ?? whole;
    });
    return { text: expanded, used, missing };
  }

  /** A copy of the node with its variables replaced. Reports those that are not set. */
  expandNode<N extends ConfigNode>(node: N, problems: Problems): N;
  expandNode(node: ConfigNode, problems: Problems): ConfigNode {
    if (node.kind === "list") {
      return { ...node, items: node.items.map((item) => this.expandNode(item, problems)) };
    }
    if (node.kind === "map") return this.expandMap(node, problems);
    if (!node.text.includes("${")) return node;
    const { text, used, missing } = this.expand(node.text);
    for (const name of missing) {
      problems.add(
        node.at,
        `variable \${${name}} is not set: set it, or give a default with \${${name}:-value}`,
      );
    }
    return used ? { ...node, text, secret: true, unset: missing.length > 0 } : node;
  }

  private expandMap(node: MapNode, problems: Problems): MapNode {
    const isScript = isNamed(node, "script");
    const entries = node.entries.map((entry) =>
      // In TypeScript `${…}` is the language's own.
      isScript && entry.key.toLowerCase() === "code"
        ? entry
        : { ...entry, value: this.expandNode(entry.value, problems) }
    );
    return { ...node, entries };
  }
}

function isNamed(map: MapNode, name: string): boolean {
  const value = entryOf(map, "name")?.value;
  return value?.kind === "scalar" && value.text.toLowerCase() === name;
}
