import {
  type Body,
  defineFilter,
  field,
  type FieldValue,
  isBody,
  perRecord,
} from "logcollector/plugin";
import * as z from "zod";

/** What is taken for personal data, and how much of it stays readable. */
const KINDS = {
  email: {
    pattern: /\b[\w.+-]+@([\w-]+(?:\.[\w-]+)+)\b/g,
    mask: (_: string, domain: string) => `***@${domain}`,
  },
  ip: {
    pattern: /\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b/g,
    mask: (_: string, network: string) => `${network}.x.x`,
  },
  card: {
    pattern: /\b(?:\d[ -]?){12,15}(\d{4})\b/g,
    mask: (all: string, last: string) => isCardNumber(all) ? `**** ${last}` : all,
  },
} as const;

export default defineFilter({
  name: "mask_personal_data",
  summary:
    "Masks e-mail addresses, IP addresses and card numbers, wherever they stand in a record.",
  config: z.object({
    kinds: field.list().default(["email", "ip", "card"]).describe("What to mask: email, ip, card"),
    drop_fields: field.list().default([]).describe(
      "Fields to leave out altogether, such as password",
    ),
  }),
  create({ kinds, drop_fields }, ctx) {
    const wanted = kinds.map((kind) => {
      if (Object.hasOwn(KINDS, kind)) return KINDS[kind as keyof typeof KINDS];
      throw new Error(`there is no kind ${JSON.stringify(kind)}: take email, ip or card`);
    });
    const dropped = new Set(drop_fields.map((name) => name.toLowerCase()));
    const maskText = (text: string): string =>
      wanted.reduce((masked, { pattern, mask }) => masked.replace(pattern, mask), text);
    const masked = ctx.metrics.counter(
      "masked_values_total",
      "Values in which something was masked",
    );

    function visit(value: FieldValue): FieldValue {
      if (typeof value === "string") {
        const result = maskText(value);
        if (result !== value) masked.value++;
        return result;
      }
      if (Array.isArray(value)) return value.map(visit);
      if (isBody(value)) visitBody(value);
      return value;
    }
    function visitBody(body: Body): void {
      for (const [key, value] of Object.entries(body)) {
        if (dropped.has(key.toLowerCase())) delete body[key];
        else body[key] = visit(value);
      }
    }
    return perRecord(ctx, (record) => {
      visitBody(record.body);
      return record;
    });
  },
});

/** Luhn's check digit: an order number of sixteen digits is no card. */
function isCardNumber(text: string): boolean {
  const digits = [...text].filter((c) => c >= "0" && c <= "9").reverse().map(Number);
  const sum = digits.reduce((total, digit, i) => {
    const twice = digit * 2;
    return total + (i % 2 === 0 ? digit : twice > 9 ? twice - 9 : twice);
  }, 0);
  return sum % 10 === 0;
}
