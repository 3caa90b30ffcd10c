interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

let reader: Reader | undefined;
let pending: ReturnType<Reader["read"]> | undefined;

/**
 * The next bytes of the process's standard input; `undefined` at its end, or when the signal aborts. There is one for
 * the whole process: bytes that come for a read that was aborted are the next reader's.
 */
export async function readStandardInput(signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (signal.aborted) return undefined;
  reader ??= Bun.stdin.stream().getReader() as Reader;
  pending ??= reader.read();
  const aborted = Promise.withResolvers<undefined>();
  const stop = () => aborted.resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const read = await Promise.race([pending, aborted.promise]);
    if (read !== undefined) pending = undefined;
    return read?.value;
  } catch (error) {
    pending = undefined;
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
