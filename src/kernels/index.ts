// The inner loops of the hot path, as one WebAssembly module. It is AssemblyScript; the build compiles it.
export {
  ANSWERS,
  BLOCK,
  EDIT_TEXTS,
  EDITED,
  EDITED_TOO,
  EDITS,
  END,
  FIELDS,
  MADE,
  MAX_BLOCK,
  MAX_LINES,
  NAMES,
  NANOS,
  OUT,
  PROGRAM,
  SCRATCH,
  SECONDS,
  SETS,
  SLACK,
  SPANS,
  STACK,
  TEXTS,
  VALUES,
} from "./memory";
export { quoteLines } from "./escape";
export { copyLines, useTexts } from "./json-copy";
export {
  count,
  lineFrom,
  noteElsewhere,
  noteTimed,
  scanLines,
  timeFrom,
  timeTo,
} from "./json-lines";
export { wantMember } from "./json-scan";
export { forgetTime, learnTime } from "./times";
export {
  criTimeFrom,
  criTimeTo,
  firstStream,
  hasBoth,
  madeTo,
  openErr,
  openOut,
  PARTS,
  readCri,
  startCri,
  tellTime,
} from "./cri";
export {
  readRegex,
  regexTimeFrom,
  regexTimeTo,
  regexTo,
  skipLine,
  startRegex,
  tellRegexTime,
  useRegex,
} from "./regex-lines";
export { askLines, askThat } from "./ask-lines";
export { keepLines } from "./keep-lines";
export { editedTo, editLines, noteEditedElsewhere, startEdit } from "./edit-lines";
export { wrapLines } from "./wrap-lines";
export { eventsTo, packLines, packRaw } from "./pack-lines";
export { countLines } from "./count-lines";
export { askForMembers } from "./ask-for-members";
