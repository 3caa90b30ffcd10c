import { type Body, setField } from "logcollector/plugin";
import type { BulkConfig } from "./config.ts";
import { dateText } from "./index-name.ts";

/** The time and the tag, as fields of the document. */
export type ExtraFields = (sec: number, nsec: number, tag: string) => Body;

export function extraFields(config: BulkConfig): ExtraFields {
  const { time_key: timeKey, tag_key: tagKey, include_tag_key: hasTag } = config;
  const secondOf = dateText(config.time_key_format);
  const { digits, unit } = fractionOf(config);
  return (sec, nsec, tag) => {
    const fraction = String(Math.floor(nsec / unit)).padStart(digits, "0");
    const extras: Body = {};
    setField(extras, timeKey, `${secondOf(sec)}.${fraction}Z`);
    if (hasTag) setField(extras, tagKey, tag);
    return extras;
  };
}

/** How the second's fraction is written: so many digits, each unit so many nanoseconds. */
export function fractionOf(config: BulkConfig): { readonly digits: number; readonly unit: number } {
  return config.time_key_nanos ? { digits: 9, unit: 1 } : { digits: 3, unit: 1e6 };
}
