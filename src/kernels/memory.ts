// Where things lie in the kernels' memory. It never grows: pages that nobody writes to cost nothing.

/** Bytes of the largest block that is read. */
export const MAX_BLOCK: i32 = 0x4_0000;
/** Lines of the largest block. */
export const MAX_LINES: i32 = 0x4000;
/** What may be written, or read, behind the end of what was asked for. */
export const SLACK: i32 = 64;

/** The block that is read, with {@link SLACK} behind it. */
export const BLOCK: usize = 0x1_0000;
/** Four positions of each record, as `JsonLines.spans` has them. */
export const SPANS: usize = 0x6_0000;
/** Seconds of each record, as f64. */
export const SECONDS: usize = 0xa_0000;
/** Nanoseconds of each record, as i32. */
export const NANOS: usize = 0xc_0000;
/** Small texts of an encoder: what stands in front of and between records. */
export const TEXTS: usize = 0xd_0000;
/** Small texts of a reader: the name of the member that it wants. */
export const NAMES: usize = 0xd_8000;
/** JSON that was made of the block. */
export const MADE: usize = 0xe_0000;
/** What goes to an output. */
export const OUT: usize = 0x2e_0000;
/** A compiled expression, its sets of bytes, and the fields that it makes: see src/lib/line-program.ts. */
export const PROGRAM: usize = 0x6e_0000;
export const SETS: usize = 0x6e_8000;
export const FIELDS: usize = 0x6f_0000;
/** Ways through an expression that are still to be tried. */
export const STACK: usize = 0x6f_8000;
/** Looked at now and then: there is room for a whole program's worth behind it. */
export const STACK_END: usize = 0x70_4000;
/** JSON that filters made, in two places: what one of them made is in one, and the next writes to the other. */
export const EDITED: usize = 0x71_0000;
export const EDITED_TOO: usize = 0x91_0000;
/** Parts of a record that are made while it is edited. */
export const SCRATCH: usize = 0xb1_0000;
/** What is to be done to records, and the texts of that: see src/kernels/edit-lines.ts. */
export const EDITS: usize = 0xb9_0000;
export const EDIT_TEXTS: usize = 0xb9_8000;
/** Of each record, the answer to a question, and where the value is that it was asked about. */
export const ANSWERS: usize = 0xba_0000;
export const VALUES: usize = 0xbb_0000;
/** The end of the memory. */
export const END: usize = 0xbe_0000;
