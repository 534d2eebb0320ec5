import type { FastifyInstance, HTTPMethods } from 'fastify';

/** Knows which methods each path answers to, for the answer 405 and its `Allow`. */
export class Methods {
  readonly #routes: { pattern: RegExp; methods: Set<string> }[] = [];

  /** Notes every route that is added to `app` from now on. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const pattern = new RegExp(`^${url.replace(/[.()+]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+')}$`);
      const known = this.#routes.find((route) => route.pattern.source === pattern.source);
      const methods = known?.methods ?? new Set<string>();
      for (const name of [method].flat() as HTTPMethods[]) methods.add(name.toUpperCase());
      if (!known) this.#routes.push({ pattern, methods });
    });
  }

  /** @returns sorted; empty where there is nothing */
  of(path: string): string[] {
    const all = this.#routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
    return [...new Set(all)].sort();
  }
}
