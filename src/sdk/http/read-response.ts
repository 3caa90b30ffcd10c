import type { IncomingMessage } from "node:http";
import type { HttpResponse } from "./response.ts";

/** What is kept of an answer's body, in bytes, unless somebody wants to read more. */
export const KEPT = 4096;
/** What is read of it so that the connection can be used again; a longer one costs the connection. */
export const READ = 65_536;

/**
 * Reads an answer, as much of it as is of use: the first `keep` bytes. `onPart` is called before each part that is waited for. Rejects for an
 * answer that is cut short, whatever its status: it may come from something in between that has lost the server.
 */
export function readResponse(
  message: IncomingMessage,
  keep: number,
  onPart: () => void,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let kept = 0;
    let read = 0;
    const finish = () =>
      resolve({
        status: message.statusCode ?? 0,
        retryAfter: message.headers["retry-after"],
        location: message.headers.location,
        body: Buffer.concat(parts).toString("utf8"),
        isWhole: read === kept,
      });
    onPart();
    message.on("data", (part: Buffer) => {
      onPart();
      if (kept < keep) {
        parts.push(part.subarray(0, keep - kept));
        kept += parts.at(-1)!.length;
      }
      read += part.length;
      if (read <= Math.max(READ, keep)) return;
      finish();
      message.destroy();
    });
    message.on("end", finish);
    message.on("error", reject);
    // After one of the others this means nothing any more.
    message.on("close", () => reject(new Error("the answer is cut short")));
  });
}
