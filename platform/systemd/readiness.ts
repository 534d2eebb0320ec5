import type { Notifier } from './notify.js';

/**
 * What the service manager is told about readiness. READY=1 says that the work is done now, whatever was asked meanwhile: a
 * configuration that is read again while the service still starts makes it no earlier, and has no RELOADING=1 of its own.
 */
export class Readiness {
  #working = false;
  #said: 'nothing' | 'ready' | 'reloading' | 'stopping' = 'nothing';

  constructor(readonly notifier: Pick<Notifier, 'ready' | 'reloading' | 'stopping'>) {}

  /** The service does its work from now on. */
  working(): void {
    this.#working = true;
    this.settled();
  }

  /** It does not, until `working` is called. */
  resting(): void {
    this.#working = false;
  }

  /** The configuration is being read again. */
  reloading(): void {
    if (this.#said !== 'ready') return;
    this.#said = 'reloading';
    this.notifier.reloading();
  }

  /** What was read is in use, or turned down. */
  settled(): void {
    if (!this.#working || this.#said === 'ready' || this.#said === 'stopping') return;
    this.#said = 'ready';
    this.notifier.ready();
  }

  stopping(): void {
    this.#said = 'stopping';
    this.notifier.stopping();
  }
}
