// What reads and translates Onigmo's expressions. It is a tenth of the collector, so whoever needs it loads it then.
export { generate } from "oniguruma-parser/generator";
export { parse } from "oniguruma-parser/parser";
export { toRegExp } from "oniguruma-to-es";
