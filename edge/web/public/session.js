import { api } from './api.js';

/** Who looks at the page. */
export const session = { name: '', role: 'viewer', login: false };

/** Whether to offer what only operators may do; the edge refuses it to others in any case. */
export const mayChange = () => session.role === 'operator';

/** Asks the edge who this is; an edge without accounts has one user, who may do everything. */
export async function loadSession() {
  Object.assign(session, await api('/session'));
}

/** Ends the login, here and at the edge. */
export async function logOut() {
  await fetch('/logout', { method: 'POST', credentials: 'same-origin' });
  location.assign('/login');
}
