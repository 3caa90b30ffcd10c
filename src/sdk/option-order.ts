/** One value of an option, as `config[option]`, or `config[option][index]` for a repeated one. */
export interface WrittenOption {
  readonly option: string;
  readonly index: number;
}

const orders = new WeakMap<object, readonly WrittenOption[]>();

/** For the reader of configurations: remembers in which order a plugin's options were written. */
export function rememberOptionOrder(config: object, order: readonly WrittenOption[]): void {
  orders.set(config, order);
}

/**
 * The options of a plugin's `config` in the order in which the user wrote them, repeated ones once for
 * each value: for plugins whose options are steps, such as `modify`. A config that was not read from a
 * configuration has the order of its keys.
 */
export function optionOrder(config: object): readonly WrittenOption[] {
  return orders.get(config) ??
    Object.entries(config).flatMap(([option, value]) =>
      Array.isArray(value) ? value.map((_, index) => ({ option, index })) : [{ option, index: 0 }]
    );
}
