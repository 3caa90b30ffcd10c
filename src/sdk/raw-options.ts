const raws = new WeakMap<object, Readonly<Record<string, unknown>>>();

/** For the reader of configurations: remembers what a plugin's options were before its schema read them. */
export function rememberRawOptions(config: object, raw: Readonly<Record<string, unknown>>): void {
  raws.set(config, raw);
}

/**
 * A plugin's options as they were written, after variables were put in: text, lists and maps of text, for a
 * plugin that runs in another thread or process, where its schema reads them again. A config that was not read
 * from a configuration is its own raw form.
 */
export function rawOptions(config: object): Readonly<Record<string, unknown>> {
  return raws.get(config) ?? config as Readonly<Record<string, unknown>>;
}
