import * as z from "zod";
import type { FromShard, ToShard } from "./cli/shards/messages.ts";
import { ShardThread } from "./cli/shards/shard-thread.ts";

// Where a worker of `service.workers` starts.

declare const self: Worker;

// As in the main thread: options are read once.
z.config({ jitless: true });

const thread = new ShardThread((message: FromShard) => self.postMessage(message), {
  onFault(call) {
    process.on("uncaughtException", call);
    process.on("unhandledRejection", call);
  },
});
self.onmessage = (event: MessageEvent<ToShard>) => thread.receive(event.data);
