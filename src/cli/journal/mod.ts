import { EXIT } from "../command-io.ts";
import { parseJournalArguments } from "./arguments.ts";
import type { JournalIo } from "./journal-io.ts";
import { JournalShow } from "./show-journal.ts";

const HELP =
  `logcollector journal shows the systemd journal. It reads the files itself, where there is no journalctl too.

Usage
  logcollector journal [OPTIONS] [FIELD=VALUE …]

Options
  -n, --lines N          only the last N entries
  -f, --follow           go on with what is written from now on; the last 10 entries come first
  -S, --since TIME       from a time on: 2026-01-31, "2026-01-31 12:00:00", @1700000000, today, or 2h for two hours ago
  -U, --until TIME       up to a time
  -b, --boot             since the machine was started
  -u, --unit UNIT        of a unit; * stands for anything; repeat it for more
  -t, --identifier NAME  with this SYSLOG_IDENTIFIER; repeat it for more
  -p, --priority P       of this priority and worse, as in warning, or of a range, as in err..info
  -o, --output FORMAT    short, short-iso, cat, json or export
  -D, --directory PATH   a folder of journal files, or one of them; repeat it for more
      --namespace NAME   of a journal namespace; * for all

Of several FIELD=VALUE one must hold.
Exit status: 0, or 1 when files could not be read, or 2 when the command line is wrong.
`;

/** `logcollector journal …`. Throws UsageError. Gives the exit status. */
export async function journal(args: readonly string[], io: JournalIo): Promise<number> {
  const command = parseJournalArguments(args);
  if (command === undefined) {
    io.stdout(HELP);
    return EXIT.ok;
  }
  const stopping = new AbortController();
  if (command.follow) io.onStop(() => stopping.abort());
  const refused = await new JournalShow(command, io).run(stopping.signal);
  return refused > 0 ? EXIT.failed : EXIT.ok;
}
