/** Pointer and buttons of a wall screen go so long after the last movement, ms. */
const IDLE_MS = 4000;

/**
 * A screen on the wall: it does not go to sleep where the browser can see to that, and shows neither pointer nor buttons unless
 * somebody moves.
 */
export function keepAwake(scope) {
  const root = document.documentElement;
  let lock;
  const hold = async () => {
    // browsers take the lock back when nobody sees the page
    if (document.hidden || !navigator.wakeLock || (lock && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request('screen');
      if (scope.over) lock.release();
    } catch {
      // battery saver, or not by https: the screen's own settings decide
    }
  };
  let idle;
  const move = () => {
    delete root.dataset.idle;
    clearTimeout(idle);
    idle = setTimeout(() => {
      root.dataset.idle = '';
    }, IDLE_MS);
  };
  scope.on(document, 'visibilitychange', hold);
  for (const type of ['pointermove', 'pointerdown', 'keydown']) scope.on(document, type, move);
  scope.onEnd(() => {
    clearTimeout(idle);
    delete root.dataset.idle;
    lock?.release();
  });
  hold();
  move();
}
