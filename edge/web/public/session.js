import { ApiError, api } from './api.js';

/** Who looks at the page. */
export const session = { name: '', role: 'viewer', login: false };

/** Whether to offer what only operators may do; the edge refuses it to others in any case. */
export const mayChange = () => session.role === 'operator';

/** Asks the edge who this is; an edge without accounts has one user, who may do everything. */
export async function loadSession() {
  try {
    Object.assign(session, await api('/session'));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    Object.assign(session, { name: '', role: 'operator', login: false });
  }
}

/** Ends the login, here and at the edge. */
export async function logOut() {
  await fetch('/logout', { method: 'POST', credentials: 'same-origin' });
  location.assign('/login');
}
