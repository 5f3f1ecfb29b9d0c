import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './style/tokens.css';
import './style/page.css';

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(<App />);
