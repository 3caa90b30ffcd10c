import { isChosen, NOT_SURE } from "./edit-table";
import { MAX_MEMBERS, MEMBER_BYTES, readMembers } from "./members";
import { ANSWERS, EDITS, SPANS } from "./memory";

const LIST: usize = memory.data((MAX_MEMBERS + 1) * MEMBER_BYTES);
/** The caller must look at the record itself. */
const UNSURE: u8 = 2;

/**
 * Whether records have a member that would be kept by what lies in {@link EDITS}: whether chosen ones are, how many words,
 * and the words as a step has them. Returns how many answers are not sure.
 */
export function askForMembers(bytes: usize, first: i32, last: i32): i32 {
  const keeps = load<i32>(EDITS);
  const words = load<i32>(EDITS, 4);
  let unsure = 0;
  for (let i = first; i < last; i++) {
    const span = SPANS + (<usize> i << 4);
    const answer = ask(
      readMembers(
        bytes + load<u32>(span),
        bytes + load<u32>(span, 4),
        bytes + load<u32>(span, 8),
        LIST,
        0,
      ),
      keeps,
      words,
    );
    store<u8>(ANSWERS + i, answer);
    if (answer === UNSURE) unsure++;
  }
  return unsure;
}

function ask(members: i32, keeps: i32, words: i32): u8 {
  if (members < 0) return UNSURE;
  for (let k = 0; k < members; k++) {
    const chosen = isChosen(LIST + k * MEMBER_BYTES, EDITS + 8, words);
    if (chosen === NOT_SURE) return UNSURE;
    if (chosen === keeps) return 1;
  }
  return 0;
}
