/** Bit by bit: a large buffer of this process would take the memory that the next run has to get. */
export async function countFileLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of Bun.file(path).stream()) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
  }
  return lines;
}
