import { site } from '../site.js';
import { t } from '../t.js';
import { toast } from './toast.js';

/**
 * An edge that comes back may bring a newer page. A wall screen takes it at once; who works here is told, and has it with the
 * next view.
 */
export async function startRenewing() {
  const known = await version();
  const look = async () => {
    const now = await version();
    if (known === undefined || now === undefined || now === known) return;
    site.removeEventListener('back', look);
    // a page that fills the screen by itself would not come back so
    if ('wall' in document.documentElement.dataset && !document.fullscreenElement) return location.reload();
    addEventListener('hashchange', () => location.reload(), { once: true });
    toast(t('renew.words'), { words: t('renew.now'), run: () => location.reload() });
  };
  site.addEventListener('back', look);
}

/** Of the page that the edge has now; undefined where it does not say. */
async function version() {
  try {
    const { ok, redirected, headers } = await fetch('/', { method: 'HEAD', cache: 'no-store' });
    return ok && !redirected ? (headers.get('etag') ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}
