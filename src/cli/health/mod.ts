import { type CommandIo, EXIT } from "../command-io.ts";
import { parseHealthArguments } from "./arguments.ts";
import { ask } from "./ask.ts";
import { findAddress } from "./find-address.ts";

const HELP = `logcollector health asks a running collector how it is, for probes and scripts.

Usage
  logcollector health [--live] [--timeout TIME]

Options
  -c, --config FILE      the collector's configuration says where it answers (http_listen, http_port)
      --port N           it answers on this port of 127.0.0.1, by default 2020
      --url URL          it answers there, as in http://10.0.0.7:2020
      --live             ask only whether it answers at all, and not whether its outputs get on
      --timeout TIME     how long to wait for the answer, by default 3s

A destination that is away is no reason to restart the collector: use --live where a failure leads to a restart.
The collector needs http_server: on, and health_check: on to report outputs that do not get on.
Exit status: 0 when it is healthy, 1 when it is not or cannot be reached, 2 when the command line or configuration is
wrong.
`;

/** `logcollector health`. Throws UsageError. Gives the exit status. */
export async function health(args: readonly string[], io: CommandIo): Promise<number> {
  const command = parseHealthArguments(args);
  if (command === undefined) {
    io.stdout(HELP);
    return EXIT.ok;
  }
  const { url, hint } = findAddress(command);
  const trouble = await ask({ ...command, url, hint });
  if (trouble === undefined) {
    io.stdout("ok\n");
    return EXIT.ok;
  }
  io.stderr(`${trouble}\n`);
  return EXIT.failed;
}
