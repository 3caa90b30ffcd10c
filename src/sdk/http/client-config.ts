import type { NetConfig, TlsConfig } from "../net-fields.ts";
import * as field from "../fields.ts";

/** The time limits of requests, for outputs with an {@link HttpClient}. */
export const httpTimeFields = {
  "http.response_timeout": field.duration().default(60_000)
    .describe("Time to send a request, and again to wait for its answer; 0 takes net.io_timeout."),
  "http.read_idle_timeout": field.duration().default(0).describe(
    "Time between two parts of an answer; 0 takes net.io_timeout.",
  ),
};

/** What an {@link HttpClient} must know, under the names that the options have. */
export type HttpClientConfig = TlsConfig & NetConfig & {
  readonly host: string;
  readonly port: number;
  readonly ipv6: boolean;
  /** Path, with the query if there is one. */
  readonly uri: string;
  readonly http_method: string;
  /** URL of a proxy; takes precedence over the environment's. */
  readonly proxy?: string | undefined;
  /** Shows the beginning of an answer other than success in messages. */
  readonly log_response_payload: boolean;
  readonly "http.response_timeout": number;
  readonly "http.read_idle_timeout": number;
};
