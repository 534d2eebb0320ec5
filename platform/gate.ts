/** Something that others wait for. It opens once, or is shut for good; what comes first holds. */
export class Gate {
  /** Resolves when it opens; rejects with why it never will. */
  readonly opened: Promise<void>;
  open: () => void = () => {};
  shut: (error: Error) => void = () => {};

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.shut = reject;
    });
    // Who waits hears of it; nobody has to.
    this.opened.catch(() => undefined);
  }
}
