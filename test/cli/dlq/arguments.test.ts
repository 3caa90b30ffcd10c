import { expect, test } from "bun:test";
import { parseDlqArguments } from "../../../src/cli/dlq/arguments.ts";
import { DlqFolder } from "./support.ts";

const ID = "20261122T140501.123Z-0000-250-http.0";

test.each([
  [
    "",
    '"dlq" needs a command, one of list, show, replay, drop, help: see "logcollector dlq --help"',
  ],
  ["lsit --path x", 'unknown command "dlq lsit": did you mean "list"?'],
  [
    "list",
    '"dlq list" needs to know where: give the configuration with -c, or the folder with --path',
  ],
  ["list -c a --path b", "-c and --path both say where the dead letters are: give one of them"],
  ["list -c a -c b", "-c is given twice"],
  ["list -c", "-c needs a value"],
  ["list --path --json", "--path needs a value"],
  ["list --json=x --path a", "--json takes no value"],
  ["list x --path a", 'unexpected "x" behind "dlq list"'],
  ["list --all --path a", 'unknown option --all of "dlq list": see "logcollector dlq --help"'],
  ["list --path /nowhere/at/all", "logcollector: there is no folder /nowhere/at/all"],
  ["show --path a", '"dlq show" needs the id of a letter: see "logcollector dlq --help"'],
  [`show ${ID} b --path a`, `unexpected "b" behind "dlq show ${ID}"`],
  ["show x --path a", '"x" is no id of a dead letter: "logcollector dlq list" shows them'],
  ["drop --path a", '"dlq drop" needs the ids of letters, or --all: see "logcollector dlq --help"'],
  [`drop ${ID} --all --path a`, "give ids of letters or --all, not both"],
  [`drop ${ID} --output o --path a`, "--output needs --all: ids say which already"],
  [
    "drop --all --older-than x --path a",
    '--older-than: expected a time such as 5, 5s, 500ms or 2h, got "x"',
  ],
  ["replay --all", '"dlq replay" needs the configuration with the outputs: give it with -c'],
  ["replay --all --path a", 'unknown option --path of "dlq replay": see "logcollector dlq --help"'],
  ["replay -c missing.yaml --all", "missing.yaml: cannot read the file: it does not exist"],
])("dlq %s is refused with one clear line", async (line, message) => {
  using folder = new DlqFolder();
  const { status, out, err } = await folder.run(...line.split(" ").filter(Boolean));
  expect([status, out, err]).toEqual([2, "", `${message}\n`]);
});

test("ids may be names or paths of files, and count once", () => {
  const command = parseDlqArguments([
    "drop",
    ID,
    `${ID}.dead`,
    `/state/rejected/${ID}.dead`,
    "--path",
    "x",
  ]);
  expect(command).toEqual({
    name: "drop",
    place: { configPath: undefined, path: "x" },
    choice: { ids: [ID], output: undefined, olderThanMs: undefined },
  });
});

test("help names every command and option", async () => {
  using folder = new DlqFolder();
  const { status, out } = await folder.run("list", "--help");
  expect(status).toBe(0);
  for (const word of ["list", "show", "replay", "drop", "--json", "--raw", "--to", "--path"]) {
    expect(out).toContain(word);
  }
  expect((await folder.run("help")).out).toBe(out);
});
