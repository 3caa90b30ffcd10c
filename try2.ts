import { Journal } from "./plugins/inputs/systemd/journal/journal.ts";
import { JournalFinder } from "./plugins/inputs/systemd/journal/found-files.ts";
import { noDamage } from "./plugins/inputs/systemd/journal/journal-file.ts";
import { EntryEncoder } from "./plugins/inputs/systemd/entry-encoder.ts";
import { selectionOf } from "./plugins/inputs/systemd/selection.ts";
const t0 = performance.now();
let n = 0, b = 0;
const counts = noDamage();
const journal = new Journal({
  finder: new JournalFinder({ paths: process.argv.slice(2), namespace: undefined }),
  file: { maxFieldBytes: 65536, maxFields: 8000, counts },
  begin: () => {},
  onRefused: (...a) => console.log("refused", a),
  onLost: (...a) => console.log("lost", a),
});
journal.scan(Date.now() * 1000);
const enc = new EntryEncoder({
  lowercase: false,
  stripUnderscores: false,
  usesSourceTime: false,
  selection: selectionOf({
    systemd_filter: [],
    systemd_filter_type: "or",
    units: [],
    identifiers: [],
    include_kernel: true,
  }),
  onRecords() {},
});
const mode = process.env.MODE;
enc.begin();
for (let file; (file = journal.next());) {
  n++;
  if (mode === "enc") {
    enc.add(file);
    if (enc.isFull) {
      b += enc.lines.bytes.length;
      enc.begin();
    }
  } else if (mode === "rec") enc.record(file);
}
console.log(
  mode,
  n,
  b,
  ((performance.now() - t0) | 0) + "ms",
  process.cpuUsage(),
  process.memoryUsage().rss >> 20,
);
