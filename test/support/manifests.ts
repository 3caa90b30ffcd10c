import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { TempFolder } from "./temp-folder.ts";

/** Where `scripts/install-kube-tools.sh` puts them. */
const TOOLS = join(import.meta.dir, "../../node_modules/.cache/kube-tools");
const FOLDER = join(import.meta.dir, "../../config/kubernetes");
export const CHART: string = join(FOLDER, "chart");

/** Without both programs tests are skipped. */
export const HAS_KUBE_TOOLS: boolean = existsSync(join(TOOLS, "stamp"));
if (!HAS_KUBE_TOOLS) {
  console.warn("No kustomize and Helm: scripts/install-kube-tools.sh builds them.");
}

type Json = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface ConfigMap extends Manifest {
  readonly data: Readonly<Record<string, string>>;
}

export interface Container extends Json {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly securityContext: { readonly runAsUser?: number };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

/** A ConfigMap in a volume; all of it, or some of its files. */
export interface ConfigMapSource {
  readonly name: string;
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

export interface Volume extends Json {
  readonly name: string;
  readonly configMap?: ConfigMapSource;
  readonly projected?: { readonly sources: readonly { readonly configMap: ConfigMapSource }[] };
  readonly emptyDir?: object;
  readonly hostPath?: { readonly path: string; readonly type: string };
}

/** A DaemonSet or a Deployment. */
export interface Workload extends Manifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: Manifest["metadata"];
      readonly spec: {
        readonly containers: readonly Container[];
        readonly volumes: readonly Volume[];
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext?: { readonly runAsUser?: number };
        readonly [field: string]: unknown;
      };
    };
    readonly [field: string]: unknown;
  };
}

/** Runs a tool; throws with what it said when it fails. */
export function run(tool: "kustomize" | "helm", ...args: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([join(TOOLS, tool), ...args], {
    // Nothing of the machine's own settings, and nothing is kept.
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", HELM_NO_PLUGINS: "1" },
  });
  if (exitCode !== 0) throw new Error(`${tool} ${args.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** `base`, or the name of an overlay. */
export function kustomize(name: string): Manifest[] {
  return parse(
    run("kustomize", "build", join(FOLDER, name === "base" ? name : `overlays/${name}`)),
  );
}

/** The base with several components, as an overlay of a user's has them. */
export function kustomizeWith(...components: readonly string[]): Manifest[] {
  using folder = new TempFolder();
  // Only folders below that of the overlay, or beside it, are named by relative paths alone.
  const link = folder.at("kubernetes");
  Bun.spawnSync(["cp", "-r", FOLDER, link]);
  const overlay = join(link, "overlays/own");
  mkdirSync(overlay);
  writeFileSync(
    join(overlay, "kustomization.yaml"),
    JSON.stringify({
      resources: ["../../base"],
      components: components.map((each) => `../../components/${each}`),
    }),
  );
  return parse(run("kustomize", "build", overlay));
}

export function helm(values: Json = {}, release = "logcollector"): Manifest[] {
  using folder = new TempFolder();
  writeFileSync(folder.at("values.json"), JSON.stringify(values));
  const options = ["--namespace", "logcollector", "--values", folder.at("values.json")];
  return parse(run("helm", "template", release, CHART, ...options));
}

function parse(text: string): Manifest[] {
  return parseAllDocuments(text).map((each) => each.toJS() as Manifest | null)
    .filter((each) => each !== null);
}

export function find<M extends Manifest>(
  manifests: readonly Manifest[],
  kind: M["kind"],
  name?: string,
): M {
  const found = manifests.find((each) =>
    each.kind === kind && (name === undefined || each.metadata.name.includes(name))
  );
  if (found === undefined) throw new Error(`There is no ${kind} ${name ?? ""}`);
  return found as M;
}

export const daemonSetOf = (manifests: readonly Manifest[]): Workload =>
  find<Workload>(manifests, "DaemonSet");

/** What a pod finds in a folder that ConfigMaps are mounted to. */
export function mountedAt(
  manifests: readonly Manifest[],
  path: string,
  workload: Workload = daemonSetOf(manifests),
): Readonly<Record<string, string>> {
  const { containers, volumes } = workload.spec.template.spec;
  const mount = containers[0]!.volumeMounts.find(({ mountPath }) => mountPath === path);
  const { configMap, projected } = volumes.find(({ name }) => name === mount?.name) ?? {};
  const sources = configMap !== undefined
    ? [configMap]
    : projected?.sources.map((source) => source.configMap);
  if (sources === undefined) throw new Error(`No ConfigMap is mounted to ${path}`);
  return Object.assign({}, ...sources.map((source) => filesOf(manifests, source)));
}

function filesOf(
  manifests: readonly Manifest[],
  { name, items }: ConfigMapSource,
): Readonly<Record<string, string>> {
  const { data } = find<ConfigMap>(manifests, "ConfigMap", name);
  if (items === undefined) return data;
  return Object.fromEntries(items.map(({ key, path }) => [path, data[key]!]));
}

/** Puts what is mounted to the container into a folder, as a node would have it; gives the configuration's path. */
export function layOut(
  manifests: readonly Manifest[],
  folder: string,
  workload: Workload = daemonSetOf(manifests),
): string {
  const { containers } = workload.spec.template.spec;
  const paths: Record<string, string> = {};
  for (const { mountPath } of containers[0]!.volumeMounts) {
    paths[mountPath] = join(folder, mountPath);
    mkdirSync(paths[mountPath], { recursive: true });
  }
  // A plugin's folder may be in the image.
  paths["/plugins"] ??= join(folder, "plugins");
  mkdirSync(paths["/plugins"], { recursive: true });
  for (const mount of ["/etc/logcollector", "/plugins"]) {
    if (containers[0]!.volumeMounts.every(({ mountPath }) => mountPath !== mount)) continue;
    for (const [name, text] of Object.entries(mountedAt(manifests, mount, workload))) {
      // Paths of the configuration are the node's: here they are in the folder.
      const here = name.endsWith(".ts") ? text : text.replaceAll(
        /(?<=[\s,'"])\/(?=var\/log\b|var\/lib\b|plugins\b|etc\/)/g,
        `${folder}/`,
      );
      writeFileSync(join(paths[mount]!, name), here);
    }
  }
  return join(folder, "etc/logcollector/logcollector.yaml");
}
