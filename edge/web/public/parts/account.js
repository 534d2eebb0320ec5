import { link } from '../router.js';
import { logOut, session } from '../session.js';
import { t } from '../t.js';
import { $, h, setHidden, setText } from './dom.js';
import { icon } from './icon.js';

/** Who is logged in, at the end of the header, with the way out. Nothing where the edge has no accounts. */
export function startAccount() {
  const name = h('span', { class: 'account-name' });
  const role = h('p', {});
  const button = h(
    'button',
    { type: 'button', class: 'account-button', popovertarget: 'account-menu' },
    icon('person'),
    name,
  );
  const menu = h(
    'div',
    { id: 'account-menu', class: 'account-menu', popover: 'auto', role: 'group', 'aria-label': t('settings.account') },
    role,
    h(
      'a',
      { class: 'button', href: link('settings'), onclick: () => menu.hidePopover() },
      icon('settings'),
      t('nav.settings'),
    ),
    h('button', { type: 'button', class: 'button', onclick: logOut }, icon('leave'), t('settings.log_out')),
  );
  const place = $('account');
  place.replaceChildren(button, menu);
  const draw = () => {
    setHidden(place, !session.login);
    setText(name, session.name);
    button.setAttribute('aria-label', t('account.of', { name: session.name }));
    setText(role, t('settings.who', { name: session.name, role: t(`role.${session.role}`) }));
  };
  session.addEventListener('change', draw);
  draw();
}
