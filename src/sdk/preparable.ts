/**
 * What an input, filter or output has besides when its plugin runs elsewhere: in another thread or process.
 * `create` is synchronous, so it cannot wait for the plugin's own.
 */
export interface Preparable {
  /** Resolves once the plugin is set up; rejects with what the plugin's own `create` threw. */
  prepare(): Promise<void>;
}

/** Waits until the plugin is set up; does nothing for one that is so from the start. */
export async function prepare(plugin: object): Promise<void> {
  await (plugin as Partial<Preparable>).prepare?.();
}
