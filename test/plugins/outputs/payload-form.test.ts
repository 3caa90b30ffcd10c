import { expect, test } from "bun:test";
import file from "../../../plugins/outputs/file.ts";
import http from "../../../plugins/outputs/http.ts";
import stdout from "../../../plugins/outputs/stdout.ts";
import { driveOutput } from "./output-driver.ts";

const formOf = (plugin: typeof http | typeof file | typeof stdout, options: object) =>
  driveOutput(plugin, { ...options }).output.format;

test.each([
  [{}, "json"],
  [{ format: "json_lines" }, "json_lines"],
  [{ format: "json_lines", compress: "gzip" }, "json_lines-gzip"],
  [{ format: "msgpack", compress: "zstd", header_tag: "X-Tag" }, "msgpack-zstd-by_tag"],
  [{ format: "gelf" }, "gelf"],
  [
    { body_key: "$b", headers_key: "$h", compress: "gzip", format: "msgpack" },
    "request_per_record",
  ],
  // What only names fields, and what is not in the payload.
  [{ json_date_key: "off", json_date_format: "epoch", uri: "/x", header: "A b", port: 1 }, "json"],
])("http calls the form of its payloads with %j %j", (options, form) => {
  expect(formOf(http, options)).toBe(form);
});

test.each([
  [{ file: "x" }, "out_file"],
  [{ file: "x", path: "/somewhere", mkdir: "on", rotate: "on" }, "out_file"],
  [{ file: "x", format: "plain", delimiter: "tab", template: "{a}" }, "plain"],
  [{ file: "x", format: "csv", delimiter: "comma" }, "csv"],
  [{ file: "x", format: "csv", delimiter: "nonsense" }, "csv"],
  [{ file: "x", format: "csv", csv_column_names: "on", delimiter: "\\t" }, "csv-names-tab"],
  [{ file: "x", format: "ltsv", delimiter: "tab" }, "ltsv"],
  [{ file: "x", format: "ltsv", label_delimiter: "space" }, "ltsv-label_space"],
  [{ file: "x", format: "template" }, "template-f19ec5df"],
  [{ path: "/logs" }, "out_file-by_tag-65879ef5"],
  [{ path: "/logs/$app", file: "x" }, "out_file-by_record-da2e0674"],
])("file calls the form of its payloads with %j %j", (options, form) => {
  expect(formOf(file, options)).toBe(form);
});

test("file tells payloads apart whose records chose files in other places", () => {
  const forms = [
    { path: "/a" },
    { path: "/b" },
    { path: "/a/$app", file: "x" },
    { path: "/b/$app", file: "x" },
    { path: "/a/$app", file: "x", fallback_file: "y" },
    { path: "/a", file: "x" },
    { file: "x", format: "template", template: "{a}" },
    { file: "x", format: "template", template: "{b}" },
  ].map((options) => formOf(file, options));
  expect(new Set(forms).size).toBe(forms.length);
  // Where in the folder is said by each payload.
  expect(formOf(file, { path: "/a/$app/logs", file: "$x" })).toBe(forms[2]!);
});

test.each(["json", "json_lines", "json_stream"])("stdout calls the form of %s so", (format) => {
  expect(formOf(stdout, { format })).toBe(format);
});

test("stdout's readable form waits as records, like what any output without a form of its own gets", () => {
  expect(formOf(stdout, {})).toBe("records");
});
