import type { Clock } from "../context.ts";
import type { HttpClient } from "./client.ts";
import type { HttpClientConfig } from "./client-config.ts";

/** Makes a client. What it takes is loaded only then: a pipeline without HTTP does not pay for it. */
export function httpClient(config: HttpClientConfig, clock: Clock): HttpClient {
  const { HttpClient } = require("./client.ts") as typeof import("./client.ts");
  return new HttpClient(config, clock);
}
