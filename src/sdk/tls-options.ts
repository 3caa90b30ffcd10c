import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions, SecureVersion } from "node:tls";
import { ConfigError } from "./errors.ts";
import type { TlsConfig } from "./net-fields.ts";

/** The system's authorities on Debian, Red Hat, SUSE and Alpine, in the order of asking. */
const SYSTEM_CA_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** What `tls.connect` and `https.request` take, files read. Throws {@link ConfigError} for one that is not there. */
export function tlsOptions(config: TlsConfig, host: string): ConnectionOptions {
  const options: ConnectionOptions = { rejectUnauthorized: config["tls.verify"] };
  const ca = authorities(config);
  if (ca !== undefined) options.ca = ca;
  const serverName = config["tls.vhost"] ?? host;
  // A server name is never an address: RFC 6066.
  if (!/^[\d.]+$|:/.test(serverName)) options.servername = serverName;
  if (!config["tls.verify_hostname"]) options.checkServerIdentity = () => undefined;
  if ((config["tls.crt_file"] === undefined) !== (config["tls.key_file"] === undefined)) {
    throw new ConfigError("tls.crt_file and tls.key_file need each other", "tls.crt_file");
  }
  if (config["tls.crt_file"] !== undefined) options.cert = read(config, "tls.crt_file");
  if (config["tls.key_file"] !== undefined) options.key = read(config, "tls.key_file");
  if (config["tls.key_passwd"] !== undefined) options.passphrase = config["tls.key_passwd"];
  const { "tls.min_version": min, "tls.max_version": max, "tls.ciphers": ciphers } = config;
  if (min !== undefined) options.minVersion = min as SecureVersion;
  if (max !== undefined) options.maxVersion = max as SecureVersion;
  if (ciphers !== undefined) options.ciphers = ciphers;
  return options;
}

function authorities(config: TlsConfig): string[] | undefined {
  const found: string[] = [];
  if (config["tls.ca_file"] !== undefined) found.push(read(config, "tls.ca_file"));
  if (config["tls.ca_path"] !== undefined) found.push(...readFolder(config["tls.ca_path"]));
  if (found.length > 0 || !config["tls.verify"]) return found.length > 0 ? found : undefined;
  for (const path of SYSTEM_CA_FILES) {
    try {
      return [readFileSync(path, "utf8")];
    } catch {
      continue;
    }
  }
  return undefined;
}

function read(config: TlsConfig, option: "tls.ca_file" | "tls.crt_file" | "tls.key_file"): string {
  try {
    return readFileSync(config[option]!, "utf8");
  } catch (cause) {
    throw new ConfigError(`cannot read ${option}: ${(cause as Error).message}`, option, { cause });
  }
}

function readFolder(path: string): string[] {
  try {
    const files = readdirSync(path).map((name) => join(path, name))
      .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
    const found = files.map((file) => readFileSync(file, "utf8"))
      .filter((text) => text.includes("-----BEGIN CERTIFICATE-----"));
    if (found.length === 0) throw new Error(`no certificate in ${path}`);
    return found;
  } catch (cause) {
    throw new ConfigError(`cannot read tls.ca_path: ${(cause as Error).message}`, "tls.ca_path", {
      cause,
    });
  }
}
