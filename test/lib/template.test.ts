import { describe, expect, test } from "bun:test";
import { compileTemplate } from "../../src/lib/template.ts";

const fields = {
  n: 7,
  f: 1.5,
  s: "text",
  m: { "x.y": "dots", "é": 1n },
  list: ["a"],
  bytes: new Uint8Array([0, 255]),
};
const render = (source: string, captures?: string[]) =>
  compileTemplate(source).render(fields, "one.two.three", captures);

describe("compileTemplate", () => {
  test("writes text as it is", () => {
    expect(render("plain.text")).toBe("plain.text");
    expect(render("")).toBe("");
    expect(render("costs 5$")).toBe("costs 5$");
  });

  test("$TAG is the tag and $TAG[n] one of its parts", () => {
    expect(render("$TAG")).toBe("one.two.three");
    expect(render("$TAG[0]-$TAG[2]")).toBe("one-three");
    expect(render("<$TAG[3]>")).toBe("<>");
    expect(render("$TAG_x$TAG[1]$s")).toBe("one.two.three_xtwotext");
    expect(compileTemplate("x$TAG[0].$TAG[1]y").render({}, "nodots")).toBe("xnodots.y");
  });

  test("$0 to $9 are captures, empty where there is none", () => {
    expect(render("$0.$1.$2$3!", ["whole", "a", "b"])).toBe("whole.a.b!");
    expect(render("$1.")).toBe(".");
  });

  test("a field's name ends at a dot, comma, space or double quote", () => {
    expect(render('$n.$n,$n $s"$n"!')).toBe('7.7,7 text"7"!');
    expect(render("$m['x.y'].end")).toBe("dots.end");
    expect(render("$list[0].x")).toBe("a.x");
  });

  test("writes every type of value, and nothing for what is absent or an array", () => {
    expect(render("$f.$bytes.$list.$nope.$m.e")).toBe(
      '1.500000.00ff...{"x.y":"dots","\\u00e9":1}.e',
    );
  });

  test("a single character after a field at the end is forgotten, as in Fluent Bit", () => {
    expect(render("t.$n.")).toBe("t.7");
    expect(render("t.$n.x")).toBe("t.7.x");
  });

  test("renderComplete is undefined when a field is absent", () => {
    expect(compileTemplate("$s.$nope").renderComplete(fields, "")).toBeUndefined();
    expect(compileTemplate("$s.$n").renderComplete(fields, "")).toBe("text.7");
  });

  test("names the place of a mistake", () => {
    expect(() => compileTemplate("a.$b$c")).toThrow("at character 3");
    expect(() => compileTemplate("$a['b'")).toThrow("cannot read template \"$a['b'\"");
    expect(() => compileTemplate("$$x")).toThrow("at character 1");
  });
});
