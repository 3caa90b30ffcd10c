import { type CommandIo, EXIT } from "./command-io.ts";

const TEXT = `logcollector collects logs, shapes them and delivers them.

Usage
  logcollector -c config.yaml              run a pipeline from a file (Fluent Bit's YAML)
  logcollector -i NAME -p KEY=VALUE -F NAME -p KEY=VALUE -o NAME -m MATCH
                                           run a pipeline without a file
  logcollector -c config.yaml --dry-run    check the file, and stop
  logcollector plugin new|test|check|list  make and test plugins of your own: "logcollector plugin --help"
  logcollector dlq list|show|replay|drop   look after dead letters: "logcollector dlq --help"
  logcollector queue inspect|verify        look into queues on disk: "logcollector queue --help"
  logcollector journal [-n N] [-f] …       show the systemd journal: "logcollector journal --help"
  logcollector health [--live] …           ask a running collector how it is: "logcollector health --help"
  logcollector plugins [NAME]              list all plugins, or the options of one
  logcollector schema                      print a JSON Schema of the configuration, for editors
  logcollector docs                        print the reference of all options as Markdown

Options
  -c, --config FILE      the configuration, YAML or classic
  -D, --dry-run          check the configuration without running it
  -i, --input NAME       add an input
  -F, --filter NAME      add a filter
  -o, --output NAME      add an output
  -p, --prop KEY=VALUE   set an option of the last -i, -F or -o; repeat it for more
  -t, --tag TAG          tag of the last input
  -m, --match MATCH      tags that the last filter or output takes
  -f, --flush SECONDS    how long records are gathered before they are sent
  -R, --parser FILE      a file with parsers; repeat it for more
  -l, --log_file FILE    write the collector's own log to a file
  -b, --storage_path DIR keep queues, positions and dead letters in this folder
  -e, --plugin FILE      load a plugin of yours; repeat it for more
      --no-plugins       run no code but the collector's own, whatever the configuration says
  -Y, --enable-hot-reload
                         reload on POST /api/v2/reload too; SIGHUP reloads always
  -H, --http             serve metrics and health over HTTP
  -P, --port PORT        port of the HTTP server
  -q, --quiet            say nothing
  -v, --verbose          say more; -vv for everything
  -V, --version          print the version
  -h, --help             print this help

Example
  logcollector -i tail -p path=/var/log/syslog -p read_from_head=on -o stdout -p format=json_lines

Exit status: 0 after a clean stop, 1 when something failed, 2 when the command line or configuration is wrong.
`;

/** `logcollector --help` */
export function help(io: CommandIo): number {
  io.stdout(TEXT);
  return EXIT.ok;
}
