import * as z from "zod";
import * as field from "./fields.ts";

/** `host`, `port` and `ipv6`, for outputs that connect to something. */
export function hostFields(host: string, port: number) {
  return {
    host: field.text().default(host).describe("Name or address of the server."),
    port: field.int({ min: 1, max: 65535 }).default(port).describe("Port of the server."),
    ipv6: field.bool().default(false).describe("Connects over IPv6 only."),
  };
}

const TLS_VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** The options `tls` and `tls.*`. */
export const tlsFields = {
  tls: field.bool().default(false).describe("Encrypts the connection with TLS."),
  "tls.verify": field.bool().default(true)
    .describe("Refuses a server whose certificate no trusted authority has signed."),
  "tls.verify_hostname": field.bool().default(false)
    .describe("Refuses a server whose certificate is for another name. Turn it on where you can."),
  "tls.ca_file": field.file().optional()
    .describe("File of the certificate authorities to trust, PEM. Default: those of the system."),
  "tls.ca_path": field.file().optional()
    .describe("Folder of files as for tls.ca_file."),
  "tls.crt_file": field.file().optional().describe("File of the client's certificate, PEM."),
  "tls.key_file": field.file().optional().describe("File of the client's private key, PEM."),
  "tls.key_passwd": field.text().optional().describe("Password of the private key."),
  "tls.vhost": field.text().optional()
    .describe("Name to ask the server for (SNI) and to verify, in place of host."),
  "tls.min_version": field.oneOf(...TLS_VERSIONS).optional()
    .describe("Oldest protocol version to accept."),
  "tls.max_version": field.oneOf(...TLS_VERSIONS).optional()
    .describe("Newest protocol version to accept."),
  "tls.ciphers": field.text().optional().describe("Ciphers to offer up to TLSv1.2, OpenSSL form."),
  "tls.debug": field.int().default(1).describe("Accepted, without effect."),
};
export type TlsConfig = z.output<z.ZodObject<typeof tlsFields>>;

/** The options `net.*`. */
export const netFields = {
  "net.connect_timeout": field.duration().default(10_000)
    .describe("Time to establish a connection, TLS included."),
  "net.connect_timeout_log_error": field.bool().default(true)
    .describe("Accepted, without effect: a connection that takes too long is always reported."),
  "net.io_timeout": field.duration().default(0)
    .describe("Time for which a connection in use may stand still; 0 means no limit of its own."),
  "net.keepalive": field.bool().default(true).describe("Uses a connection more than once."),
  "net.keepalive_idle_timeout": field.duration().default(30_000)
    .describe("Time after which a connection that is not used is closed."),
  "net.keepalive_max_recycle": field.int({ min: 0 }).default(2000)
    .describe("Times that a connection is used before it is made anew; 0 means no limit."),
  "net.tcp_keepalive": field.bool().default(false).describe("Sends TCP keepalive probes."),
  "net.tcp_keepalive_time": field.int().default(-1)
    .describe("Idle seconds before the first probe; -1 leaves it to the system."),
  "net.tcp_keepalive_interval": field.int().default(-1)
    .describe("Accepted, without effect: the system's interval holds."),
  "net.tcp_keepalive_probes": field.int().default(-1)
    .describe("Accepted, without effect: the system's number of probes holds."),
  "net.source_address": field.text().optional().describe("Local address to connect from."),
  "net.max_worker_connections": field.int({ min: 0 }).default(0)
    .describe("Most connections at once; 0 means no limit of its own."),
  "net.dns.mode": field.oneOf("TCP", "UDP").optional()
    .describe("Accepted, without effect: the system's resolver is used."),
  "net.dns.resolver": field.oneOf("LEGACY", "ASYNC").optional()
    .describe("Accepted, without effect: the system's resolver is used."),
  "net.dns.prefer_ipv4": field.bool().default(false)
    .describe("Accepted, without effect: addresses are tried in the system's order."),
  "net.dns.prefer_ipv6": field.bool().default(false)
    .describe("Accepted, without effect: addresses are tried in the system's order."),
  "net.proxy_env_ignore": field.bool().default(false)
    .describe("Ignores the environment variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY."),
};
export type NetConfig = z.output<z.ZodObject<typeof netFields>>;

/** Options that Fluent Bit has and that would be unsafe to ignore: switched off they are taken, else refused. */
export function refusedFields<const K extends string>(
  ...names: readonly K[]
): Record<K, z.ZodOptional<z.ZodType<undefined, string | number | boolean>>> {
  const refused = field.custom("not supported", (text): undefined => {
    if (/^(false|off|no)$/i.test(text)) return undefined;
    throw new RangeError("not supported in this version");
  }).optional().describe("Not supported in this version: refused unless it is off.");
  return Object.fromEntries(names.map((name) => [name, refused])) as Record<K, typeof refused>;
}
