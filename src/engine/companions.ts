/** Other pipelines in this process that have shares of the same inputs. They end together. */
export interface Companions {
  /** Resolves when their inputs that end on their own have ended too. */
  inputsEnded(): Promise<void>;
  /** Resolves when they have ended, and what they know of positions has come. */
  ended(): Promise<void>;
}
