import type {
  FilterDefinition,
  InputDefinition,
  OutputDefinition,
  ParserDefinition,
} from "./define.ts";

/** The type of a plugin's definition by its kind. */
export interface DefinitionByKind {
  input: InputDefinition;
  filter: FilterDefinition;
  output: OutputDefinition;
  parser: ParserDefinition;
}

export type PluginKind = keyof DefinitionByKind;
export type DefinitionOf<K extends PluginKind> = DefinitionByKind[K];

/** The plugins that a configuration may name. */
export interface PluginRegistry {
  /** The plugin of that kind and name, in any case. */
  find<K extends PluginKind>(kind: K, name: string): DefinitionOf<K> | undefined;
  /** The names of all plugins of a kind. Loads none of them. */
  names(kind: PluginKind): readonly string[];
  /** All plugins of a kind. */
  list<K extends PluginKind>(kind: K): readonly DefinitionOf<K>[];
}
