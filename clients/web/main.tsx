import { render } from 'preact';
import { App } from './app.tsx';
import { takeTokens } from './shell/address-tokens.ts';
import './style/tokens.css';
import './style/page.css';

takeTokens();
addEventListener('hashchange', takeTokens);
const root = document.querySelector('#root');
if (root !== null) {
  // What index.html paints meanwhile is no part of the page: a view that has no such bar would keep it.
  root.replaceChildren();
  render(<App />, root);
}
