const LINE_FEED = 10;

/** Where each record in the form of the bulk API ends: behind its second line. */
export function bulkEnds(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const action = bytes.indexOf(LINE_FEED, at);
    const document = action === -1 ? -1 : bytes.indexOf(LINE_FEED, action + 1);
    if (document === -1) break;
    at = document + 1;
    ends.push(at);
  }
  return ends;
}
