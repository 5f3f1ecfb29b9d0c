/** What the address that was opened brings along behind its #: kept by this browser, and gone from the bar. */
import { parseRoute } from '../route.ts';
import { keepPresenterToken, keepServerToken } from './memory.ts';

export function takeTokens(): void {
  const brought = new URLSearchParams(location.hash.slice(1));
  const [token, presenter] = [brought.get('token') ?? '', brought.get('presenter') ?? ''];
  if (token === '' && presenter === '') return;
  if (token !== '') keepServerToken(token);
  const route = parseRoute(location.pathname + location.search);
  if (presenter !== '' && 'lab' in route) keepPresenterToken(route.lab, presenter);
  history.replaceState(null, '', location.pathname + location.search);
}
