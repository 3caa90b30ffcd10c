/** What the API server says in place of what it was asked for. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** Of the answer, or of the `Status` in a watch: 401, 403, 410 … */
  readonly status: number;
  /** How long the server wants to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, status: number, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const LONGEST_MESSAGE = 500;

/** The error that a `Status` of the API server's means. Takes any text: something in between may have answered. */
export function kubeError(status: number, body: string, retryAfter?: string): KubeError {
  const seconds = Number(retryAfter ?? NaN);
  return new KubeError(
    `status is ${status}${detailOf(body)}`,
    status,
    seconds > 0 ? seconds * 1000 : undefined,
  );
}

function detailOf(body: string): string {
  let message: unknown;
  try {
    message = (JSON.parse(body) as { message?: unknown } | null)?.message;
  } catch {
    message = undefined;
  }
  return typeof message === "string" ? `, ${message.slice(0, LONGEST_MESSAGE)}` : "";
}
