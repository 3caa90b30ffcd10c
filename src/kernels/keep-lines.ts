import { ANSWERS, NANOS, SECONDS, SPANS } from "./memory";

/** Leaves out the records whose answer is no. Returns how many are left. */
export function keepLines(count: i32): i32 {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (load<u8>(ANSWERS + i) === 0) continue;
    if (kept !== i) {
      v128.store(SPANS + (<usize> kept << 4), v128.load(SPANS + (<usize> i << 4)));
      store<f64>(SECONDS + (<usize> kept << 3), load<f64>(SECONDS + (<usize> i << 3)));
      store<i32>(NANOS + (<usize> kept << 2), load<i32>(NANOS + (<usize> i << 2)));
    }
    kept++;
  }
  return kept;
}
