import type { HealthReport } from "../../admin/health.ts";
import { countOf } from "../../lib/count-of.ts";

const LIVE_PATH = "/";
const HEALTH_PATH = "/api/v2/health";
/** A report is a few hundred bytes, and one more for each output that is stalled. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const NAMED_OUTPUTS = 5;

export interface Question {
  readonly url: string;
  readonly live: boolean;
  readonly timeoutMs: number;
  /** Goes behind the message when nobody listens there. */
  readonly hint: string;
}

/** Asks a running collector how it is. Returns what is wrong; `undefined` when all is well. Does not throw. */
export async function ask(question: Question): Promise<string | undefined> {
  const { url, live, timeoutMs } = question;
  const address = url + (live ? LIVE_PATH : HEALTH_PATH);
  // A proxy is for destinations; the collector is near.
  process.env.NO_PROXY = "*";
  try {
    const response = await fetch(address, {
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await limitedText(response);
    if (live) return response.status === 200 ? undefined : strange(address, response.status);
    const report = readReport(text);
    if (report === undefined) return strange(address, response.status);
    return report.status === "ok" ? undefined : `Not healthy: ${troubles(report).join("; ")}`;
  } catch (error) {
    return unreachable(question, error as Error & { code?: string });
  }
}

async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
  }
  return text;
}

function readReport(text: string): HealthReport | undefined {
  try {
    const report: HealthReport = JSON.parse(text);
    const isReport = (report.status === "ok" || report.status === "error") &&
      Array.isArray(report.stalled);
    return isReport ? report : undefined;
  } catch {
    return undefined;
  }
}

function troubles(report: HealthReport): string[] {
  const { stalled, errors, error_limit, retries_failed, retry_failure_limit } = report;
  const period = `${report.period_limit} s`;
  const found = stalled.slice(0, NAMED_OUTPUTS)
    .map((id) => `output ${id} has something to deliver and delivered nothing for ${period}`);
  if (stalled.length > NAMED_OUTPUTS) {
    found.push(`and ${countOf(stalled.length - NAMED_OUTPUTS, "more output")}`);
  }
  if (errors > error_limit) {
    found.push(`${countOf(errors, "failed attempt")} within ${period}, limit ${error_limit}`);
  }
  if (retries_failed > retry_failure_limit) {
    const given = countOf(retries_failed, "payload");
    found.push(`${given} given up within ${period}, limit ${retry_failure_limit}`);
  }
  return found;
}

function strange(address: string, status: number): string {
  return `Cannot read the health of a collector from ${address}: it answered ${status}, as something else would`;
}

function unreachable({ url, timeoutMs, hint }: Question, error: Error & { code?: string }): string {
  if (error.name === "TimeoutError") {
    return `Cannot reach the collector at ${url}: no answer within ${timeoutMs / 1000} s`;
  }
  if (/refused/i.test(error.code ?? "")) {
    return `Cannot reach the collector at ${url}: connection refused${
      hint || "; is http_server on?"
    }`;
  }
  return `Cannot reach the collector at ${url}: ${error.message}${hint}`;
}
