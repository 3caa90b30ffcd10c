import { Guest } from "./hosts/worker/guest.ts";
import { toErrorMessage } from "./hosts/worker/error-message.ts";
import type { FromGuest, ToGuest } from "./hosts/worker/messages.ts";
import { importPlugin } from "./loader/import-plugin.ts";

// Where the thread of a plugin with `isolation: worker` starts.

declare const self: Worker;

const post = (message: FromGuest): void => self.postMessage(message);
const guest = new Guest(post, importPlugin);

/** What was thrown where nobody catches it may have left anything behind: the host starts a new worker. */
function fault(error: unknown): void {
  post({ type: "fault", error: toErrorMessage(error) });
  process.exit(1);
}

process.on("uncaughtException", fault);
process.on("unhandledRejection", fault);
self.onmessage = (event: MessageEvent<ToGuest>) => guest.receive(event.data);
