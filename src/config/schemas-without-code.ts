import * as z from "zod";

// Options are read once: making code for each schema costs more than it saves. Schemas look at this when they are made, so
// whoever starts a thread loads this module before those that have schemas.
z.config({ jitless: true });
