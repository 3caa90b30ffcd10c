import { ConfigError, field, hostFields, netFields, tlsFields } from "logcollector/plugin";
import * as z from "zod";

/** The options of the forward output. */
export const forwardFields = {
  ...hostFields("127.0.0.1", 24224),
  unix_path: field.text().optional().describe(
    "Path of the server's Unix socket, in place of host and port.",
  ),
  tag: field.template().optional().describe(
    "Tag to send records under, in place of their own; may hold $TAG and fields of the record.",
  ),
  require_ack_response: field.bool().default(false).describe(
    "Takes records as delivered when the server has acknowledged them. Turn it on where no record may be lost: " +
      "without it they are delivered when the system has taken them for sending.",
  ),
  ack_response_timeout: field.duration().default(60_000).describe(
    "Time to send a payload, and again to wait for its acknowledgement; 0 takes net.io_timeout.",
  ),
  send_options: field.bool().default(false)
    .describe("Sends the protocol's options, such as the number of records, along."),
  compress: field.custom<"gzip" | undefined>("gzip | text", (text) => {
    const name = text.toLowerCase();
    if (name === "gzip") return name;
    if (name === "text") return undefined;
    throw new RangeError(`expected gzip or text, got ${JSON.stringify(text)}`);
  }).optional().describe("Compression of the records; text is none."),
  time_as_integer: field.bool().default(false)
    .describe("Sends times as whole seconds, for Fluentd up to 0.12, and no metadata."),
  retain_metadata_in_forward_mode: field.bool().default(true).describe(
    "Sends each record's metadata along, in the form of Fluent Bit 2.1 and later. Turn it off for other servers.",
  ),
  add_option: field.repeated(field.words("name", "value")).default([])
    .describe("One more option to send along, such as `site berlin`."),
  shared_key: field.text().optional()
    .describe(
      "Key that the server knows too: both prove it to each other before any record is sent.",
    ),
  empty_shared_key: field.bool().default(false).describe("Logs in with an empty shared_key."),
  username: field.text().default("").describe("User to log in as, for servers that know users."),
  password: field.text().default("").describe("Password of the user."),
  self_hostname: field.text().optional().describe(
    "Name of this client for the login, other than the server's own. Default: the machine's name.",
  ),
  fluentd_compat: field.bool().default(false)
    .describe("Accepted, without effect: it is about metrics and traces."),
  ...tlsFields,
  ...netFields,
};

export type ForwardConfig = z.output<z.ZodObject<typeof forwardFields>>;

/** What the login proves; `undefined` when there is none. */
export interface Credentials {
  readonly sharedKey: string;
  readonly username: string;
  readonly password: string;
  readonly selfHostname: string;
}

/** Throws {@link ConfigError} for users without a key: the login is only made where there is one. */
export function credentialsOf(config: ForwardConfig, hostname: string): Credentials | undefined {
  const { username, password } = config;
  const sharedKey = config.empty_shared_key ? "" : config.shared_key;
  if (sharedKey !== undefined) {
    return { sharedKey, username, password, selfHostname: config.self_hostname ?? hostname };
  }
  if (username === "" && password === "") return undefined;
  throw new ConfigError(
    "username and password need shared_key or empty_shared_key: without one there is no login",
    username === "" ? "password" : "username",
  );
}

/** Throws {@link ConfigError} for options that contradict each other. */
export function checkOptions(config: ForwardConfig): void {
  if (config.time_as_integer && config.compress !== undefined) {
    throw new ConfigError(
      "compress and time_as_integer exclude each other: servers that need such times do not know compression",
      "compress",
    );
  }
  if (config.unix_path !== undefined && config.tls) {
    throw new ConfigError("tls is for connections to a host, not for unix_path", "tls");
  }
}

/**
 * Names what a queued payload is made of. The tag that records are sent under is part of each payload, so that what
 * waits keeps it when the option changes.
 */
export function payloadForm(config: ForwardConfig): string {
  const { metadata, time } = eventForm(config);
  const events = time === "seconds" ? "seconds" : metadata === "always" ? "metadata" : "times";
  return config.compress === undefined ? `events-${events}` : `events-${events}-${config.compress}`;
}

/** What each record becomes. */
export function eventForm(config: ForwardConfig) {
  if (config.time_as_integer) return { metadata: "never", time: "seconds" } as const;
  const metadata = config.retain_metadata_in_forward_mode ? "always" : "never";
  return { metadata, time: "exact" } as const;
}
