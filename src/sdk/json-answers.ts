import type { Kernels } from "../lib/kernels.ts";
import type { JsonLines } from "./json-lines.ts";
import type { Question } from "./record-test.ts";

/**
 * Answers a question for each record, in the kernel's memory: 1 for yes, 0 for no. False when it cannot be answered there.
 */
export function answerAll(question: Question, json: JsonLines, kernel: Kernels): boolean {
  switch (question.kind) {
    case "field":
    case "selection":
      return question.answer(json, kernel);
    case "not":
      if (!answerAll(question.of, json, kernel)) return false;
      for (let i = 0; i < json.count; i++) kernel.answers[i]! ^= 1;
      return true;
    default:
      return join(question.of, question.kind === "all", json, kernel);
  }
}

function join(
  questions: readonly Question[],
  isAll: boolean,
  json: JsonLines,
  kernel: Kernels,
): boolean {
  const { answers } = kernel;
  const joined = new Uint8Array(json.count).fill(Number(isAll));
  for (const question of questions) {
    if (!answerAll(question, json, kernel)) return false;
    for (let i = 0; i < joined.length; i++) {
      if (isAll) joined[i]! &= answers[i]!;
      else joined[i]! |= answers[i]!;
    }
  }
  answers.set(joined);
  return true;
}
