import type { FromShard, ToShard } from "./cli/shards/messages.ts";

// Where a worker of `service.workers` starts.

declare const self: Worker;

require("./config/schemas-without-code.ts");
const { ShardThread } = require(
  "./cli/shards/shard-thread.ts",
) as typeof import("./cli/shards/shard-thread.ts");
const thread = new ShardThread((message: FromShard) => self.postMessage(message), {
  onFault(call) {
    process.on("uncaughtException", call);
    process.on("unhandledRejection", call);
  },
});
self.onmessage = (event: MessageEvent<ToShard>) => thread.receive(event.data);
