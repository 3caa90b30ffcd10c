import { defineFilter, field, perRecord } from "logcollector/plugin";
import * as z from "zod";

/** `order 4711 paid: 12.50 EUR` becomes fields. */
const ORDER = /^order (\d+) (\w+)(?:: (\d+\.\d\d) ([A-Z]{3}))?/;

export default defineFilter({
  name: "shop_orders",
  summary: "Makes fields of what the shop says of its orders",
  config: z.object({
    key: field.text().default("log").describe("Field that holds the text"),
  }),
  create: ({ key }, ctx) =>
    perRecord(ctx, (record) => {
      const match = ORDER.exec(String(record.body[key] ?? ""));
      if (match === null) return record;
      const [, order, state, amount, currency] = match;
      Object.assign(record.body, { order: Number(order), state });
      if (amount !== undefined) Object.assign(record.body, { amount: Number(amount), currency });
      return record;
    }),
});
