import type * as z from "zod";
import * as field from "../fields.ts";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Where Kubernetes' API server is, and how to log in there: for plugins with a {@link KubeClient}. */
export const kubeApiFields = () => ({
  kube_url: field.custom("URL", readUrl).optional().describe(
    "URL of the API server. Default: what KUBERNETES_SERVICE_HOST and _PORT say, as in every pod, else https://kubernetes.default.svc",
  ),
  kube_ca_file: field.text().default(`${ACCOUNT}/ca.crt`).describe(
    "File of the authorities that sign the API server's certificate, PEM; read again for each connection",
  ),
  kube_ca_path: field.text().optional().describe("Folder of such files, besides"),
  kube_token_file: field.text().default(`${ACCOUNT}/token`).describe("File with the token"),
  kube_token_command: field.text().optional()
    .describe("Command line that prints the token, in place of a file"),
  kube_token_ttl: field.duration().default(600_000)
    .describe("Time after which the token is read again; a refused token is read again at once"),
  "tls.verify": field.bool().default(true)
    .describe("Refuses a server whose certificate no trusted authority has signed"),
  "tls.verify_hostname": field.bool().default(false)
    .describe("Refuses a server whose certificate is for another name"),
  "tls.vhost": field.text().optional()
    .describe("Name to ask the server for (SNI) and to verify, in place of that in kube_url"),
  "tls.debug": field.int().default(0).describe("Accepted, without effect"),
});

/** What a {@link KubeClient} must know, under the names that the options have. */
export type KubeApiConfig = z.output<z.ZodObject<ReturnType<typeof kubeApiFields>>>;

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new RangeError(`expected https://HOST:PORT or http://HOST:PORT, got "${text}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new RangeError("a user in the URL is not supported: use kube_token_file");
  }
  return url;
}

/** The API server that the options or the environment of a pod name. */
export function apiServerUrl(
  config: Pick<KubeApiConfig, "kube_url">,
  env: Readonly<Record<string, string | undefined>>,
): URL {
  if (config.kube_url !== undefined) return config.kube_url;
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT_HTTPS"] ?? env["KUBERNETES_SERVICE_PORT"] ?? "443";
  if (!host) return new URL("https://kubernetes.default.svc");
  return new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
}
