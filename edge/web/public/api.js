import { t } from './t.js';

/** What the edge refused, or that it cannot be reached. */
export class ApiError extends Error {
  /** @param problem RFC 9457: {status, code, detail, hint} */
  constructor({ status, code, detail, hint }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }

  /** What is wrong and what to do, as one text. */
  get words() {
    return [sentence(this.message), this.hint && sentence(this.hint)].filter(Boolean).join(' ');
  }
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/**
 * Asks the edge's API. Who is not logged in any more is taken to the login page, and back here afterwards.
 * @param path below /api/v1
 * @param options {method, body: JSON, query: {name: value; absent and empty ones are left out}, signal}
 * @returns the answer's JSON, undefined where there is none
 * @throws ApiError; AbortError when the signal ends it
 */
export async function api(path, { method = 'GET', body, query, signal } = {}) {
  const request = { method, signal, credentials: 'same-origin', headers: { accept: 'application/json' } };
  if (body !== undefined) {
    request.headers['content-type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/api/v1${path}${search(query)}`, request);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ status: 0, code: 'unreachable', detail: t('error.unreachable') });
  }
  if (response.ok) return response.status === 204 || response.status === 202 ? undefined : response.json();
  if (response.status === 401) toLogin();
  throw new ApiError(await problemOf(response));
}

/** `?a=1&b=2`, or nothing. */
export function search(query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '' && value !== null);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** Whether the way to the login page is taken: a second one would break the first off. */
let leaving = false;
// A page that the browser kept is looked at again.
addEventListener('pageshow', () => {
  leaving = false;
});

function toLogin() {
  if (leaving) return;
  leaving = true;
  location.assign(`/login?next=${encodeURIComponent(`/${location.hash}`)}`);
}

/** Goes to the login page by itself, and not back here. @param end ends the login; whether it did */
export async function leave(end) {
  leaving = true;
  leaving = await end();
  if (leaving) location.assign('/login');
}

async function problemOf(response) {
  const { status } = response;
  try {
    const { code, detail, hint } = await response.json();
    return { status, code, detail: status === 403 ? t('error.forbidden') : detail, hint };
  } catch {
    return { status, code: 'unknown', detail: t('error.status', { status }) };
  }
}
