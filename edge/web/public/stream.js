/** The connection to the edge: server-sent events, with its own patience and its own words. */

const SILENCE_MS = 12_000;
const HIDDEN_MS = 60_000;

/**
 * @param onMessage gets each message
 * @param onState gets `good`, `wait` or `bad`, and a sentence
 */
export function connect(onMessage, onState) {
  let source;
  let retry;
  let silence;
  let attempts = 0;
  let hiddenTimer;

  const again = () => {
    source?.close();
    source = undefined;
    clearTimeout(silence);
    clearInterval(retry);
    const seconds = Math.min(15, 1 + 2 ** attempts) + Math.random();
    attempts = Math.min(attempts + 1, 5);
    let left = Math.ceil(seconds);
    const say = () => onState('bad', `Connection lost, trying again in ${left} s`);
    say();
    retry = setInterval(() => {
      left -= 1;
      if (left > 0) return say();
      clearInterval(retry);
      open();
    }, 1000);
  };

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE_MS);
  };

  const open = () => {
    clearInterval(retry);
    source?.close();
    onState('wait', 'Connecting');
    source = new EventSource('/api/events');
    let first = true;
    heard();
    source.onmessage = (event) => {
      heard();
      attempts = 0;
      onState('good', 'Live');
      onMessage(JSON.parse(event.data), first);
      first = false;
    };
    source.onerror = again;
  };

  // a page that nobody sees for a while lets go, so that the edge makes no pictures for it
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        source?.close();
        source = undefined;
        clearTimeout(silence);
        clearInterval(retry);
        onState('wait', 'Paused');
      }, HIDDEN_MS);
    } else if (!source) {
      attempts = 0;
      open();
    }
  });

  open();
}
