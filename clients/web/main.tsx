import { render } from 'preact';
import { App } from './app.tsx';
import { takeTokens } from './shell/address-tokens.ts';
import './style/tokens.css';
import './style/page.css';

takeTokens();
addEventListener('hashchange', takeTokens);
const root = document.querySelector('#root');
if (root !== null) render(<App />, root);
