/** Why a field is not there. */
export type FieldTrouble = "damaged" | "too_large";
