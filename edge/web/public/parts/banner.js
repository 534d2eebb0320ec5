import { site } from '../site.js';
import { t } from '../t.js';
import { $, setHidden, setText } from './dom.js';
import { when } from './time.js';

/** A hiccup that is over at once is no news, ms. */
const PATIENCE_MS = 2500;

/** Says at the top of the page that the connection is lost, of when what is shown is, and when it is tried again. */
export function startBanner() {
  let timer;
  let lost = false;
  const draw = () => {
    const { state, left } = site.connection;
    const pill = $('connection');
    pill.dataset.state = state;
    setText(pill, t(`connection.pill.${state}`));
    setHidden($('banner'), !lost || state === 'good');
    if (!lost) return;
    const words = site.lastHeard === 0 ? 'connection.none' : 'connection.lost';
    setText($('banner-words'), t(words, { when: when(site.lastHeard) }));
    setText($('banner-next'), left === undefined ? t('connection.trying') : t('connection.next', { n: left }));
  };
  site.addEventListener('connection', () => {
    if (site.connection.state === 'good') {
      clearTimeout(timer);
      timer = undefined;
      lost = false;
    } else if (site.connection.state === 'bad') {
      timer ??= setTimeout(() => {
        lost = true;
        draw();
      }, PATIENCE_MS);
    }
    draw();
  });
  setText($('banner-retry'), t('connection.retry'));
  $('banner-retry').addEventListener('click', () => site.retry());
  draw();
}
