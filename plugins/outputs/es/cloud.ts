import { ConfigError } from "logcollector/plugin";

const HTTPS = 443;

/** The server that a cloud id names: behind the deployment's name, in Base64, `domain$host$…`, perhaps with a port. */
export function cloudServer(id: string): { readonly host: string; readonly port: number } {
  const decoded = Buffer.from(id.slice(id.indexOf(":") + 1), "base64").toString("utf8");
  const [, domain, name, port] = /^([\w.-]+)\$([\w.-]+)(?::(\d{1,5}))?(?:\$|$)/.exec(decoded) ?? [];
  if (!id.includes(":") || domain === undefined || name === undefined) {
    throw new ConfigError(
      "cannot read cloud_id: expected NAME:BASE64, as Elastic Cloud shows it",
      "cloud_id",
    );
  }
  return { host: `${name}.${domain}`, port: Number(port) || HTTPS };
}
