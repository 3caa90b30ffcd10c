import { type Conversion, CONVERSIONS, literal, skipSpace } from "./strptime-conversions.ts";

/** A strptime format without `%L`, ready to run. */
export interface Steps {
  readonly steps: readonly Conversion[];
  /** The first conversion that does not exist: with it nothing ever matches. */
  readonly unknown: string | undefined;
  /** True when what the steps match up to their end does not depend on the text behind it. */
  readonly endsInLiteral: boolean;
  /** True when the steps read only a zone and literals, so that they change nothing but the offset. */
  readonly zoneOnly: boolean;
}

const COMPOSITE: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  R: "%H:%M",
  r: "%I:%M:%S %p",
  T: "%H:%M:%S",
  X: "%H:%M:%S",
  x: "%m/%d/%y",
};

export function compileSteps(format: string): Steps {
  const steps: Conversion[] = [];
  let unknown: string | undefined;
  let endsInLiteral = false;
  let zoneOnly = true;
  for (let i = 0; i < format.length; i++) {
    const c = format[i]!;
    endsInLiteral = false;
    if (/\s/.test(c)) {
      if (steps.at(-1) !== skipSpace) steps.push(skipSpace);
      zoneOnly = false;
      continue;
    }
    // E and O ask for other digits or names of the locale; in the C locale they change nothing.
    let letter = c === "%" ? format[++i] ?? "" : "";
    if (letter === "E" || letter === "O") letter = format[++i] ?? "";
    const composite = COMPOSITE[letter];
    if (c !== "%" || letter === "%") {
      steps.push(literal(c.charCodeAt(0)));
      endsInLiteral = !/\d/.test(c);
    } else if (composite !== undefined) {
      steps.push(...compileSteps(composite).steps);
      zoneOnly = false;
    } else {
      const step = CONVERSIONS[letter];
      if (step === undefined) unknown ??= `%${letter}`;
      steps.push(step ?? (() => false));
      if (letter !== "z" && letter !== "Z") zoneOnly = false;
    }
  }
  return { steps, unknown, endsInLiteral, zoneOnly };
}
