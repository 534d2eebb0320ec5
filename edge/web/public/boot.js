// A part of the page that did not arrive, because the network changed just then, leaves nothing that could say so: come again.
const AGAIN_MS = 3000;
addEventListener(
  'error',
  ({ target }) => {
    if (target instanceof HTMLScriptElement || target.rel === 'stylesheet')
      setTimeout(() => location.reload(), AGAIN_MS);
  },
  true,
);
