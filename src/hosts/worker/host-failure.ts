/** The worker came to an end before it had answered. The call may be made again. */
export class HostFailure extends Error {
  override readonly name = "HostFailure";
  /** True for the call that was under way, false for one that has only lost its worker. */
  readonly blamed: boolean;

  constructor(message: string, blamed: boolean, options?: ErrorOptions) {
    super(message, options);
    this.blamed = blamed;
  }
}
