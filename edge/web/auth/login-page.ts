/** The page's own style, nothing else: no script, and a form that goes to this server alone. */
export const LOGIN_POLICY =
  "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/**
 * The login page; works without JavaScript. Its form goes to the page's own address, so that browsers keep what stands after
 * a `#` there: the view.
 * @param next where to go then @param message what went wrong
 */
export function loginPage(next: string, message?: string): string {
  const target = escaped(next);
  const note = message === undefined ? '' : `<p class="note" role="alert">${escaped(message)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Log in – DeepCOD</title>
<link rel="stylesheet" href="/login.css">
</head>
<body>
<main>
<h1>DeepCOD</h1>
${note}
<form method="post">
<input type="hidden" name="next" value="${target}">
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>
<button type="submit">Log in</button>
</form>
<p><a href="${target}">Logged in already, and came by a link? Go on.</a></p>
</main>
</body>
</html>
`;
}

export const LOGIN_STYLE = `:root { color-scheme: light dark; --back: #f4f5f6; --card: #fff; --text: #1b1f23; --line: #8a9199; --act: #0a58a8; --bad: #a11616 }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --card: #1e2226; --text: #e8eaed; --line: #7d868f; --act: #7db8f2; --bad: #ff9c94 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { width: min(22rem, 92vw); padding: 2rem; background: var(--card); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.5rem }
form { display: grid; gap: .35rem }
input { padding: .55rem .7rem; margin-bottom: .65rem; font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: .4rem }
button { padding: .6rem; font: inherit; font-weight: 600; color: var(--card); background: var(--act); border: 0; border-radius: .4rem; cursor: pointer }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
a { color: var(--act) }
.note { color: var(--bad) }
`;

/** A path of this server, or `/`: nobody is sent elsewhere by a link to the login page. */
export function ownPath(next: unknown): string {
  if (typeof next !== 'string' || next.length > 512 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(next)) return '/';
  return next.includes('\\') || next.startsWith('/login') ? '/' : next;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
