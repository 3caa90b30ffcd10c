type Schema = boolean | { readonly [key: string]: unknown };

/** The keywords that our schema uses, checked as the standard says. Enough to test it without a library. */
export function accepts(schema: Schema, value: unknown, root: Schema = schema): boolean {
  if (typeof schema === "boolean") return schema;
  const list = (key: string) => schema[key] as readonly Schema[] | undefined;
  const holds = (part: unknown) => accepts(part as Schema, value, root);
  if (typeof schema.$ref === "string" && !holds(resolve(root, schema.$ref))) return false;
  if (schema.anyOf && !list("anyOf")!.some(holds)) return false;
  if (schema.allOf && !list("allOf")!.every(holds)) return false;
  if (schema.if && holds(schema.if) && schema.then && !holds(schema.then)) return false;
  if (schema.enum && !(schema.enum as unknown[]).includes(value)) return false;
  if (schema.type && ![schema.type].flat().some((type) => isType(value, String(type)))) {
    return false;
  }
  if (typeof value === "string" && schema.pattern) {
    return new RegExp(String(schema.pattern), "u").test(value);
  }
  if (Array.isArray(value) && schema.items) {
    return value.every((item) => accepts(schema.items as Schema, item, root));
  }
  return !isType(value, "object") || acceptsObject(schema, value as Record<string, unknown>, root);
}

function acceptsObject(
  schema: { readonly [key: string]: unknown },
  value: Record<string, unknown>,
  root: Schema,
): boolean {
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const patterns = Object.entries((schema.patternProperties ?? {}) as Record<string, Schema>);
  const required = (schema.required ?? []) as string[];
  if (!required.every((key) => key in value)) return false;
  return Object.entries(value).every(([key, item]) => {
    const mine = patterns.filter(([pattern]) => new RegExp(pattern, "u").test(key)).map((
      [, part],
    ) => part);
    if (Object.hasOwn(properties, key)) mine.push(properties[key]!);
    if (mine.length > 0) return mine.every((part) => accepts(part, item, root));
    const rest = schema.additionalProperties as Schema | undefined;
    return rest === undefined || accepts(rest, item, root);
  });
}

function isType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value);
  if (type === "object") {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  const actual: string = typeof value;
  return actual === type;
}

function resolve(root: Schema, ref: string): unknown {
  return ref.replace(/^#\//, "").split("/").reduce<unknown>(
    (at, step) => (at as Record<string, unknown>)[step],
    root,
  );
}
