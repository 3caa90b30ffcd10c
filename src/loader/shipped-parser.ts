/** The options of a parser as a configuration would give them. */
export interface ShippedParser {
  readonly name: string;
  readonly format: string;
  readonly regex?: string;
  readonly time_key?: string;
  readonly time_format?: string;
  readonly time_keep?: string;
  readonly types?: string;
}
