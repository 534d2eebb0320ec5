import { api, leave } from './api.js';
import { toast } from './parts/toast.js';
import { t } from './t.js';

/** An edge that does not answer is as good as none, ms. */
const PATIENCE_MS = 8000;

/** Who looks at the page; `change` is told when the edge has said so. */
export const session = Object.assign(new EventTarget(), { name: '', role: 'viewer', login: false });

/** Whether to offer what only operators may do; the edge refuses it to others in any case. */
export const mayChange = () => session.role === 'operator';

/** Asks the edge who this is; an edge without accounts has one user, who may do everything. */
export async function loadSession() {
  Object.assign(session, await api('/session'));
  session.dispatchEvent(new Event('change'));
}

/** Ends the login, here and at the edge. Where the edge cannot be asked, it goes on, and the page says so. */
export async function logOut() {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const request = { method: 'POST', credentials: 'same-origin', signal };
  await leave(async () => {
    const answer = await fetch('/logout', request).catch(() => undefined);
    if (!answer?.ok) toast(t('account.not_logged_out'));
    return answer?.ok === true;
  });
}
