/** Where an option's text begins. */
export interface OptionPlace {
  /** The file as the configuration names it; the argument itself for an option on the command line. */
  readonly file: string;
  /** From 1; 0 on the command line. */
  readonly line: number;
}

const places = new WeakMap<object, ReadonlyMap<string, OptionPlace>>();

/** For the reader of configurations: remembers where a plugin's options were written. */
export function rememberOptionPlaces(
  config: object,
  found: ReadonlyMap<string, OptionPlace>,
): void {
  places.set(config, found);
}

/** Where the text of an option of a plugin's `config` begins; `undefined` when it was not read from a configuration. */
export function optionPlace(config: object, option: string): OptionPlace | undefined {
  return places.get(config)?.get(option);
}
