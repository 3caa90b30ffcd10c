const WORD = / *(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^ "'][^ ]*))/sy;

/**
 * Splits at spaces. A word in double or single quotes may hold spaces, and the quote after a backslash.
 * Throws RangeError unless there are between `least` and `most` words.
 */
export function splitWords(text: string, form: string, least: number, most = least): string[] {
  const words: string[] = [];
  const trimmed = text.trim();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < trimmed.length) {
    const found = WORD.exec(trimmed);
    if (found === null) throw new RangeError(`a quote is not closed in ${JSON.stringify(text)}`);
    const [, double, single, plain] = found;
    words.push(
      double?.replace(/\\(["\\])/g, "$1") ?? single?.replace(/\\(['\\])/g, "$1") ?? plain!,
    );
  }
  if (words.length < least || words.length > most) {
    throw new RangeError(
      `expected "${form}", got ${JSON.stringify(text)}: words with spaces need quotes`,
    );
  }
  return words;
}
