import { loadSession } from '../session.js';

const SILENCE_MS = 12_000;
const HIDDEN_MS = 60_000;

/**
 * Keeps a stream of server-sent events open, with its own patience. With `pauses`, a page that nobody
 * sees for a while lets go, so that the edge does nothing for it; what tells of alerts must not.
 * @param url of the stream
 * @param handlers by name of event (`message` for those without): (data, first) where `first` is of a new connection
 * @param options {onState: gets `good`, `wait` or `bad`, and the seconds until the next try; signal: ends it; pauses}
 * @returns {{retry(): void}} retry: at once, when it waits
 */
export function connect(url, handlers, { onState = () => {}, signal, pauses = false } = {}) {
  let source;
  let retry;
  let silence;
  let hiddenTimer;
  let attempts = 0;

  const stop = () => {
    source?.close();
    source = undefined;
    clearTimeout(silence);
    clearInterval(retry);
    retry = undefined;
  };

  const again = () => {
    stop();
    if (signal?.aborted) return;
    // not all pages of a site in the same moment
    let left = Math.ceil(Math.min(15, 1 + 2 ** attempts) + Math.random());
    attempts = Math.min(attempts + 1, 5);
    const say = () => onState('bad', left);
    say();
    retry = setInterval(() => {
      left -= 1;
      if (left > 0) return say();
      open();
    }, 1000);
  };

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS);
  };

  const open = () => {
    stop();
    onState('wait');
    const mine = new EventSource(url);
    source = mine;
    const firsts = new Set(Object.keys(handlers));
    heard();
    for (const [name, handle] of Object.entries(handlers)) {
      mine.addEventListener(name, (event) => {
        heard();
        attempts = 0;
        onState('good');
        const first = firsts.delete(name);
        handle(JSON.parse(event.data), first);
      });
    }
    mine.addEventListener('end', (event) => {
      const { code } = JSON.parse(event.data);
      if (!document.hidden || (code !== 'user' && code !== 'room')) return;
      // others have the place that nobody looks at here; whoever does look gets one again
      stop();
      onState('wait');
    });
    mine.onerror = () => {
      again();
      // the stream does not tell why it ended: a login that is over leads to the login page
      loadSession().catch(() => {});
    };
  };

  const now = () => {
    attempts = 0;
    open();
  };

  document.addEventListener(
    'visibilitychange',
    () => {
      clearTimeout(hiddenTimer);
      if (document.hidden) {
        if (!pauses) return;
        hiddenTimer = setTimeout(() => {
          stop();
          onState('wait');
        }, HIDDEN_MS);
      } else if (!source) {
        now();
      }
    },
    { signal },
  );
  // this machine is on a network again: no reason to wait
  addEventListener('online', () => retry !== undefined && now(), { signal });
  signal?.addEventListener('abort', () => {
    stop();
    clearTimeout(hiddenTimer);
  });

  open();
  return { retry: now };
}
