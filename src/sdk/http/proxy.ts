import { ConfigError } from "../errors.ts";
import type { NetConfig } from "../net-fields.ts";
import { basicAuthorization } from "./basic-authorization.ts";

/** An HTTP proxy on the way to the server. */
export interface Proxy {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  /** Value of Proxy-Authorization, when the proxy's URL names a user. */
  readonly authorization: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy that the option or the environment names for this server. */
export function proxyFor(
  config: Pick<NetConfig, "net.proxy_env_ignore"> & {
    readonly host: string;
    readonly tls: boolean;
    readonly proxy?: string | undefined;
  },
  env: Environment,
): Proxy | undefined {
  if (config.proxy !== undefined) return parse(config.proxy, "proxy");
  if (config["net.proxy_env_ignore"]) return undefined;
  const named = (name: string) => env[name.toUpperCase()] || env[name.toLowerCase()] || undefined;
  const url = (config.tls ? named("https_proxy") : undefined) ?? named("http_proxy");
  if (url === undefined || isExcepted(config.host, named("no_proxy") ?? "")) return undefined;
  return parse(url, undefined);
}

/** The text is never shown: it may hold a password. */
function parse(text: string, option: string | undefined): Proxy {
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  } catch {
    throw new ConfigError("cannot read the proxy's URL: expected http://host:port", option);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new ConfigError(
      `cannot use a proxy of kind "${url.protocol}": expected http://host:port`,
      option,
    );
  }
  const isTls = url.protocol === "https:";
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    isTls,
    host: unbracket(url.hostname),
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    authorization: url.username === "" ? undefined : basicAuthorization(credentials),
  };
}

/** An IPv6 address is written in brackets where a port may follow, and without them to connect. */
export function unbracket(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** `NO_PROXY`: names with all that is below them, addresses, or `*`. */
function isExcepted(host: string, list: string): boolean {
  const name = unbracket(host).toLowerCase();
  return list.split(",").map((entry) => entry.trim().toLowerCase()).some((entry) => {
    if (entry === "") return false;
    if (entry === "*") return true;
    const suffix = unbracket(entry.replace(/^\*?\./, "").replace(/(?<!:[^:]*):\d+$/, ""));
    return name === suffix || name.endsWith(`.${suffix}`);
  });
}
